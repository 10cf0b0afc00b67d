import type { Schema } from '../api/client';
import { daysUntil } from '../lib/time';
import css from './ui.module.css';

export type Tone = 'ok' | 'warn' | 'bad' | 'off' | 'info' | 'wait';

export function Status({ tone, children }: { tone: Tone; children: string }) {
  return <span className={`${css.status} ${css[tone] ?? ''}`}>{children}</span>;
}

const TONES: Record<string, Tone> = {
  valid: 'ok', active: 'ok', issued: 'ok', approved: 'ok', usable: 'ok', delivered: 'ok', done: 'ok', renewed: 'ok', new: 'ok', finished: 'ok', passed: 'ok',
  ready: 'info', signing: 'info', processing: 'info', running: 'info', planned: 'info', pulled: 'info', known: 'off', invited: 'info', open: 'warn', left: 'warn', 'rolling-back': 'warn',
  'awaiting-approval': 'wait', 'awaiting-issuer': 'wait', 'awaiting-certificate': 'wait', pending: 'wait', waiting: 'wait', paused: 'wait',
  acknowledged: 'info', 'not-yet-valid': 'info',
  expired: 'bad', failed: 'bad', rejected: 'bad', denied: 'bad', invalid: 'bad', dead: 'bad', late: 'bad', broken: 'bad',
  revoked: 'off', cancelled: 'off', retired: 'off', disabled: 'off', deactivated: 'off', used: 'off', closed: 'off', 'rolled-back': 'off', waived: 'off', excluded: 'off',
};

/** A state in its own colour, and its own word if there is no better one. */
export function State({ of, as }: { of: string; as?: string }) {
  const text = as ?? of.replaceAll('-', ' ');
  return <Status tone={TONES[of] ?? 'off'}>{text.charAt(0).toUpperCase() + text.slice(1)}</Status>;
}

/** A certificate's state; one that ends soon says so. */
export function CertificateState({ certificate }: { certificate: Schema<'Certificate'> }) {
  const days = daysUntil(certificate.not_after);
  // What lives for days only is well as long as its renewal is not due.
  const isFine = certificate.replaced_by || certificate.renewal?.due === false;
  if (certificate.status === 'valid' && days < 30 && !isFine) {
    return <Status tone={days < 7 ? 'bad' : 'warn'}>{days < 1 ? 'Ends today' : `Ends in ${days} d`}</Status>;
  }
  return <State of={certificate.status} />;
}
