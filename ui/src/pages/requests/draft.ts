import type { Algorithm } from '../../lib/csr';

/** What the person has decided so far. It lives in this page alone. */
export interface Draft {
  profile: string | null;
  required: string[];
  team: string | null;
  source: 'server' | 'browser' | 'csr';
  names: string;
  serverAlgorithm: string;
  browserAlgorithm: Algorithm;
  csr: string;
  /** PEM; gone when the page is left. */
  browserKey: string;
  keySaved: boolean;
  validityDays: number | null;
  metadata: Record<string, string>;
}

export const EMPTY: Draft = {
  profile: null,
  required: [],
  team: null,
  source: 'server',
  names: '',
  serverAlgorithm: 'p-256',
  browserAlgorithm: 'p-256',
  csr: '',
  browserKey: '',
  keySaved: false,
  validityDays: null,
  metadata: {},
};

export const namesOf = (draft: Draft): string[] => draft.names.split(/[\s,;]+/).filter(Boolean);

/** What is missing before the next step. */
export function problem(draft: Draft, step: number): string | undefined {
  if (step === 0 && !draft.profile) return 'Choose a profile';
  if (step === 1 && draft.source === 'csr' && !draft.csr.includes('CERTIFICATE REQUEST')) return 'Paste or drop a CSR in PEM';
  if (step === 1 && draft.source !== 'csr' && namesOf(draft).length === 0) return 'At least one name';
  const missing = draft.required.filter((name) => !draft.metadata[name]);
  if (step === 2 && missing.length) return `Missing: ${missing.join(', ')}`;
  if (step === 3 && draft.source === 'browser' && !draft.keySaved) return 'Save the key first: nobody else has it';
  return undefined;
}
