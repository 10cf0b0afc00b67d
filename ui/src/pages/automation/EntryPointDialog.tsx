import { Button, Checkbox, Modal, MultiSelect, Select, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { ErrorNote } from '../../components/States';
import { TimeInput } from '../../components/TimeInput';
import { profilesQuery } from '../policy/Profiles';
import { ENTRANCES, type Entrance, type Input, type Kind, type Rules } from './entrances';

/** The rules of one entry point. */
export function EntryPointDialog({ kind, point, onClose }: { kind: Kind; point: Entrance | null; onClose: () => void }) {
  const protocol = ENTRANCES[kind];
  const { data: profiles } = useQuery({ ...profilesQuery, retry: false });
  const { data: teams } = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')), retry: false });
  const [name, setName] = useState(point?.name ?? '');
  const [team, setTeam] = useState<string | null>(null);
  const [rules, setRules] = useState<Rules>(point?.rules ?? {});
  const change = (parts: Rules) => setRules((now) => ({ ...now, ...parts }));
  const known = [...new Set([...(profiles?.items ?? []).map((profile) => profile.name), ...protocol.profiles(rules)])];
  const save = useMutation({ mutationFn: () => protocol.put(name, rules, point ? undefined : (team ?? undefined)), onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title={point ? `${protocol.noun} ${point.name}`.replace(/^./, (first) => first.toUpperCase()) : `New ${protocol.noun}`}>
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          {!point && <TextInput label="Name" description="In its URL: small letters, digits and hyphens" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />}
          {!point && <Select label="Owner" description="of what is enrolled there" placeholder="Everybody" clearable data={(teams?.items ?? []).map((each) => each.name)} value={team} onChange={setTeam} />}
          {protocol.many ? (
            <MultiSelect label="Profiles" description="The first is what requests get unasked" required data={known} value={[...protocol.profiles(rules)]} onChange={(next) => change({ profiles: next })} />
          ) : (
            <Select label="Profile" required allowDeselect={false} data={known} value={protocol.profiles(rules)[0] ?? null} onChange={(next) => next && change({ profile: next })} />
          )}
          {protocol.inputs.map((input) => <RuleInput key={input.name} input={input} rules={rules} onChange={change} />)}
          <Button type="submit" loading={save.isPending}>Save</Button>
        </Stack>
      </form>
    </Modal>
  );
}

function RuleInput({ input, rules, onChange }: { input: Input; rules: Rules; onChange: (parts: Rules) => void }) {
  const value = rules[input.name];
  switch (input.kind) {
    case 'check':
      return <Checkbox label={input.label} checked={typeof value === 'boolean' ? value : input.usual} onChange={(event) => onChange({ [input.name]: event.currentTarget.checked })} />;
    case 'choice':
      return <Select label={input.label} data={input.options} allowDeselect={false} value={typeof value === 'string' ? value : input.usual} onChange={(next) => onChange({ [input.name]: next ?? input.usual })} />;
    case 'time':
      return <TimeInput label={input.label} description={input.description} value={typeof value === 'number' ? value : input.usual} onChange={(seconds) => onChange({ [input.name]: seconds })} />;
  }
}
