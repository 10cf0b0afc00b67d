import { ActionIcon, Button, Checkbox, Group, Modal, PasswordInput, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { ErrorNote } from '../../components/States';

type Rules = Schema<'ProviderRules'>;
type GroupGrant = Schema<'GroupGrant'>;

const FIRST: Rules = { title: '', issuer: '', client_id: '', scopes: ['openid', 'profile', 'email'], algorithms: ['RS256', 'ES256'], groups_claim: 'groups', grants: [], admits_everybody: false, enabled: true };
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'EdDSA'];

/** The rules of a provider alone, without what the server says about it. */
function rulesOf({ title, issuer, client_id, scopes, algorithms, groups_claim, grants, admits_everybody, ca_certificates, enabled }: Schema<'Provider'>): Rules {
  return { title, issuer, client_id, scopes, algorithms, groups_claim, grants, admits_everybody, enabled, ...(ca_certificates ? { ca_certificates } : {}) };
}

/** An OpenID Connect provider, and what its groups may do here. */
export function ProviderDialog({ provider, onClose }: { provider: Schema<'Provider'> | null; onClose: () => void }) {
  const [name, setName] = useState(provider?.name ?? '');
  const [rules, setRules] = useState<Rules>(provider ? rulesOf(provider) : FIRST);
  const [secret, setSecret] = useState('');
  const set = (parts: Partial<Rules>) => setRules((now) => ({ ...now, ...parts }));
  const save = useMutation({
    mutationFn: () => call(api.PUT('/api/v1/sign-on/providers/{name}', { params: { path: { name } }, body: { ...rules, ...(secret ? { client_secret: secret } : {}) } })),
    onSuccess: onClose,
    gcTime: 0,
  });
  return (
    <Modal opened onClose={onClose} title={provider ? `Provider ${provider.name}` : 'New provider'} size="lg">
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          {!provider && <TextInput label="Name" description="In addresses: keycloak" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />}
          <TextInput label="Title" description="On the button" required value={rules.title} onChange={(event) => set({ title: event.currentTarget.value })} />
          <TextInput label="Issuer URL" type="url" required value={rules.issuer} onChange={(event) => set({ issuer: event.currentTarget.value })} />
          <Group grow align="flex-start">
            <TextInput label="Client id" required value={rules.client_id} onChange={(event) => set({ client_id: event.currentTarget.value })} />
            <PasswordInput label="Client secret" placeholder={provider?.has_client_secret ? 'Stays as it is' : undefined} autoComplete="off" value={secret} onChange={(event) => setSecret(event.currentTarget.value)} />
          </Group>
          <Grants value={rules.grants ?? []} onChange={(grants) => set({ grants })} />
          <Group grow align="flex-start">
            <TextInput label="Claim with the groups" description="A path with dots where it lies deeper" value={rules.groups_claim ?? 'groups'} onChange={(event) => set({ groups_claim: event.currentTarget.value })} />
            <TagsInput label="Scopes" description="What is asked of the provider" value={[...(rules.scopes ?? [])]} onChange={(scopes) => set({ scopes })} />
          </Group>
          <TagsInput label="Signatures" description="How its ID tokens may be signed" data={ALGORITHMS} value={[...(rules.algorithms ?? [])]} onChange={(algorithms) => set({ algorithms })} />
          <Textarea label="Whom to trust for its TLS" description="PEM; empty: the system’s authorities" autosize minRows={2} maxRows={8} classNames={{ input: 'mono' }} value={rules.ca_certificates ?? ''} onChange={(event) => set({ ca_certificates: event.currentTarget.value || null })} />
          <Checkbox label="People of no group above may come in, too (without a role)" checked={rules.admits_everybody ?? false} onChange={(event) => set({ admits_everybody: event.currentTarget.checked })} />
          <Checkbox label="In use" checked={rules.enabled !== false} onChange={(event) => set({ enabled: event.currentTarget.checked })} />
          <Button type="submit" loading={save.isPending}>Save</Button>
        </Stack>
      </form>
    </Modal>
  );
}

/** Each group and the role that it gives, everywhere or in one team. */
function Grants({ value, onChange }: { value: readonly GroupGrant[]; onChange: (value: GroupGrant[]) => void }) {
  const { data: roles } = useQuery({ queryKey: ['roles'], queryFn: () => call(api.GET('/api/v1/roles')) });
  const { data: teams } = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')) });
  const set = (index: number, parts: Partial<GroupGrant>) => onChange(value.map((each, at) => (at === index ? { ...each, ...parts } : each)));
  return (
    <fieldset style={{ margin: 0, padding: 0, border: 0 }}>
      <legend style={{ padding: 0, marginBottom: 8 }}><strong>Groups and roles</strong> <span className="muted">read at each sign-in</span></legend>
      <Stack gap="xs">
        {value.map((grant, index) => (
          <Group key={index} gap="xs" wrap="nowrap" align="center">
            <TextInput aria-label={`Group ${index + 1}`} placeholder="pki-operators" required style={{ flex: 1 }} value={grant.group} onChange={(event) => set(index, { group: event.currentTarget.value })} />
            <Select aria-label={`Role of group ${index + 1}`} style={{ flex: 1 }} data={(roles?.items ?? []).map((role) => role.name)} value={grant.role} allowDeselect={false} onChange={(role) => set(index, { role: role ?? grant.role })} />
            <Select aria-label={`Team of group ${index + 1}`} placeholder="Everywhere" clearable style={{ flex: 1 }} data={(teams?.items ?? []).map((team) => team.name)} value={grant.team ?? null} onChange={(team) => set(index, { team })} />
            <ActionIcon variant="subtle" color="red" aria-label={`Remove group ${index + 1}`} onClick={() => onChange(value.filter((_, at) => at !== index))}><IconTrash size={16} /></ActionIcon>
          </Group>
        ))}
        <Button size="compact-sm" variant="default" style={{ alignSelf: 'flex-start' }} onClick={() => onChange([...value, { group: '', role: 'requester' }])}>Map a group</Button>
      </Stack>
    </fieldset>
  );
}
