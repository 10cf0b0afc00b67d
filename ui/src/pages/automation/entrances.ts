import { api, call, type Schema } from '../../api/client';

export type Kind = 'est' | 'scep' | 'cmp';
export type Rules = Partial<Schema<'EstRules'>> & Partial<Schema<'ScepRules'>> & Partial<Omit<Schema<'CmpEndpointRules'>, 'certificates'>>;

export interface Entrance {
  id: string;
  name: string;
  url: string;
  team?: string | null;
  rules: Rules;
}

/** One rule of an entry point, as people set it. */
export type Input =
  | { kind: 'check'; name: keyof Rules; label: string; usual: boolean }
  | { kind: 'choice'; name: keyof Rules; label: string; usual: string; options: { value: string; label: string }[] }
  | { kind: 'time'; name: keyof Rules; label: string; usual: number; description?: string };

interface Protocol {
  title: string;
  noun: string;
  teach: string;
  /** Whether requests may choose among profiles. */
  many?: boolean;
  inputs: Input[];
  profiles: (rules: Rules) => readonly string[];
  list: () => Promise<readonly Entrance[]>;
  put: (name: string, rules: Rules, team?: string) => Promise<unknown>;
  remove: (name: string) => Promise<unknown>;
}

const CERTIFICATES: Input = {
  kind: 'choice', name: 'certificates', label: 'What a certificate that a client holds opens', usual: 'same-names',
  options: [{ value: 'off', label: 'Its own renewal' }, { value: 'same-names', label: 'Others for the names that it has' }, { value: 'any-names', label: 'Every name that the profile allows' }],
};

const one = (rules: Rules) => [rules.profile ?? 'default'];

/** The protocols whose clients have no accounts. */
export const ENTRANCES: Record<Kind, Protocol> = {
  est: {
    title: 'EST labels',
    noun: 'label',
    teach: 'Routers, printers and machines that speak EST (RFC 7030) come in by a label: it says which profile they get and how they show who they are.',
    inputs: [
      { kind: 'check', name: 'passwords', label: 'Takes enrollment passwords', usual: true },
      CERTIFICATES,
      { kind: 'choice', name: 'channel_binding', label: 'CSR tied to its TLS connection', usual: 'when-present', options: [{ value: 'off', label: 'Not looked at' }, { value: 'when-present', label: 'What is there has to be right' }, { value: 'required', label: 'Required' }] },
      { kind: 'check', name: 'server_keys', label: 'Makes keys for clients that ask for it', usual: false },
    ],
    profiles: one,
    list: async () => (await call(api.GET('/api/v1/est/labels'))).items as Entrance[],
    put: (name, rules, team) => call(api.PUT('/api/v1/est/labels/{name}', { params: { path: { name }, query: { team } }, body: rules as never })),
    remove: (name) => call(api.DELETE('/api/v1/est/labels/{name}', { params: { path: { name } } })),
  },
  scep: {
    title: 'SCEP services',
    noun: 'service',
    teach: 'Phones, laptops and switches under device management speak SCEP (RFC 8894): a service says which profile they get.',
    inputs: [
      { kind: 'check', name: 'renewal', label: 'A certificate of this server may renew itself', usual: true },
      { kind: 'check', name: 'old_ciphers', label: 'Reads messages encrypted with 3DES', usual: false },
    ],
    profiles: one,
    list: async () => (await call(api.GET('/api/v1/scep/services'))).items as Entrance[],
    put: (name, rules, team) => call(api.PUT('/api/v1/scep/services/{name}', { params: { path: { name }, query: { team } }, body: rules as never })),
    remove: (name) => call(api.DELETE('/api/v1/scep/services/{name}', { params: { path: { name } } })),
  },
  cmp: {
    title: 'CMP endpoints',
    noun: 'endpoint',
    teach: 'Plants, base stations and embedded devices speak CMP (RFC 9810): an endpoint says which profiles they may name.',
    many: true,
    inputs: [
      { kind: 'check', name: 'secrets', label: 'Takes messages protected with a shared secret', usual: true },
      CERTIFICATES,
      { kind: 'check', name: 'implicit_confirm', label: 'A requester may do without confirming the certificate', usual: true },
      { kind: 'time', name: 'confirm_wait_seconds', label: 'A confirmation is waited for', usual: 3_600 },
      { kind: 'time', name: 'max_clock_skew_seconds', label: 'Clocks may differ by', usual: 300, description: '0: not looked at' },
    ],
    profiles: (rules) => rules.profiles ?? ['default'],
    list: async () => (await call(api.GET('/api/v1/cmp/endpoints'))).items as Entrance[],
    put: (name, rules, team) => call(api.PUT('/api/v1/cmp/endpoints/{name}', { params: { path: { name }, query: { team } }, body: rules as never })),
    remove: (name) => call(api.DELETE('/api/v1/cmp/endpoints/{name}', { params: { path: { name } } })),
  },
};
