import type { Algorithm, BornHere } from '../../lib/csr';

/** A key of this page, what it was made for, and whether the person has it. Gone when the page is left. */
export interface Born extends BornHere {
  names: string;
  algorithm: Algorithm;
  isSaved: boolean;
}

/** What the person has decided so far. It lives in this page alone. */
export interface Draft {
  profile: string | null;
  required: string[];
  team: string | null;
  source: 'server' | 'browser' | 'csr';
  names: string;
  serverAlgorithm: string;
  browserAlgorithm: Algorithm;
  /** Pasted or dropped. */
  csr: string;
  born: Born | null;
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
  born: null,
  validityDays: null,
  metadata: {},
};

export const namesOf = (draft: Draft): string[] => draft.names.split(/[\s,;]+/).filter(Boolean);

/** The key of this page, as long as it is the one that was asked for: other names or another kind make another. */
export function bornFor(draft: Draft): Born | undefined {
  const { born, source, browserAlgorithm } = draft;
  const fits = source === 'browser' && born?.algorithm === browserAlgorithm && born.names === namesOf(draft).join(' ');
  return fits ? born : undefined;
}

/** The CSR that is sent, where the key is not made on the server. */
export const csrOf = (draft: Draft): string => (draft.source === 'browser' ? (bornFor(draft)?.csr ?? '') : draft.csr);

/** What is missing before the next step. */
export function problem(draft: Draft, step: number): string | undefined {
  if (step === 0 && !draft.profile) return 'Choose a profile';
  if (step === 1 && draft.source === 'csr' && !draft.csr.includes('CERTIFICATE REQUEST')) return 'Paste or drop a CSR in PEM';
  if (step === 1 && draft.source !== 'csr' && namesOf(draft).length === 0) return 'At least one name';
  const missing = draft.required.filter((name) => !draft.metadata[name]);
  if (step === 2 && missing.length) return `Missing: ${missing.join(', ')}`;
  if (step === 3 && draft.source === 'browser' && !bornFor(draft)?.isSaved) return 'Save the key first: nobody else has it';
  return undefined;
}
