import type { Schema } from '../../api/client';
import { State, Status } from '../../components/Status';
import { condition } from './condition';

/** The one word on a CA that matters most at the moment. */
export function IssuerState({ issuer }: { issuer: Schema<'Issuer'> }) {
  if (issuer.state !== 'active') return <State of={issuer.state} />;
  const [tone, word] = condition(issuer);
  return <Status tone={tone}>{word}</Status>;
}
