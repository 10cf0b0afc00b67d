import { ActionIcon, Button, Group, Modal, MultiSelect, NumberInput, Select, Stack } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { api, call, callTagged, type Schema } from '../../api/client';
import { ErrorNote } from '../../components/States';
import { TimeInput } from '../../components/TimeInput';
import { ApproversInput } from './ApproversInput';
import { Picture } from './ApprovalPicture';
import css from './policy.module.css';

type Rule = Schema<'ApprovalRule'>;
type Stage = Schema<'ApprovalStage'>;
type Step = Schema<'EscalationStep'>;
type Condition = Schema<'ApprovalCondition'>;

const HOUR = 3_600;
const DAY = 24 * HOUR;

export const FIRST_RULE: Rule = { when: ['always'], stages: [{ approvals: 1, approvers: [{ kind: 'role', role: 'approver', scope: 'owner-team' }] }], deadline_seconds: 5 * DAY, remind_every_seconds: DAY, escalation: [] };

const CONDITIONS = [
  { value: 'always', label: 'Always' },
  { value: 'wildcard', label: 'It names a wildcard' },
  { value: 'new-name', label: 'It names something new here' },
  { value: 'foreign-team', label: 'Another team has a certificate for a name of it' },
  { value: 'public-ca', label: 'The public would trust it' },
  { value: 'long', label: 'It would be valid for longer than …' },
];

const RENEWALS = [
  { value: 'wait', label: 'Wait as well' },
  { value: 'skip-with-same-key', label: 'Go through, if the key is the same too' },
  { value: 'skip', label: 'Go through' },
];

interface ApprovalEditorProps {
  profile: string;
  /** What holds now; a new rule begins with one approver. */
  before: Rule | null;
  onClose: () => void;
}

/** Who agrees to requests of a profile, as a form beside its picture. */
export function ApprovalEditor({ profile, before, onClose }: ApprovalEditorProps) {
  const [rule, setRule] = useState<Rule>(before ?? FIRST_RULE);
  const change = (parts: Partial<Rule>) => setRule((now) => ({ ...now, ...parts }));
  const path = { path: { name: profile } };
  const save = useMutation({
    mutationFn: async (approval: Rule | null) => {
      const { value, etag } = await callTagged(api.GET('/api/v1/profiles/{name}', { params: path }));
      return call(api.PUT('/api/v1/profiles/{name}', { params: { ...path, header: { 'If-Match': etag } }, body: { ...value.rules, approval } }));
    },
    onSuccess: onClose,
  });
  const replace = <T,>(list: readonly T[], index: number, next: T): T[] => list.map((each, at) => (at === index ? next : each));
  const without = <T,>(list: readonly T[], index: number): T[] => list.filter((_, at) => at !== index);
  const escalation = rule.escalation ?? [];
  return (
    <Modal opened onClose={onClose} title={`Who agrees to requests of ${profile}`} size="xl">
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(rule); }}>
        <Stack gap="lg">
          {save.error && <ErrorNote error={save.error} />}
          <div className={css.preview}><Picture rule={rule} /></div>
          <When value={rule.when ?? ['always']} onChange={(when) => change({ when })} />
          <Part title="Stages" note="one after the other; a person decides in one of them only" add="Another stage" onAdd={() => change({ stages: [...rule.stages, FIRST_RULE.stages[0] as Stage] })}>
            {rule.stages.map((stage, index) => (
              <Row key={index} label={`stage ${index + 1}`} onRemove={rule.stages.length > 1 ? () => change({ stages: without(rule.stages, index) }) : undefined}>
                <NumberInput label="How many agree" w={140} required min={1} max={20} allowDecimal={false} value={stage.approvals} onChange={(next) => typeof next === 'number' && change({ stages: replace(rule.stages, index, { ...stage, approvals: next }) })} />
                <ApproversInput label={`Of whom, in stage ${index + 1}`} value={stage.approvers} onChange={(approvers) => change({ stages: replace(rule.stages, index, { ...stage, approvers }) })} />
              </Row>
            ))}
          </Part>
          <Part title="Escalation" note="who may decide as well, when those who were asked have not" add="Ask others later" onAdd={() => change({ escalation: [...escalation, { after_seconds: ((escalation.at(-1)?.after_seconds ?? 0) / HOUR + 4) * HOUR, to: [{ kind: 'role', role: 'administrator', scope: 'everywhere' }] } satisfies Step] })}>
            {escalation.map((step, index) => (
              <Row key={index} label={`escalation ${index + 1}`} onRemove={() => change({ escalation: without(escalation, index) })}>
                <TimeInput label="After" w={200} value={step.after_seconds} onChange={(after_seconds) => change({ escalation: replace(escalation, index, { ...step, after_seconds }) })} />
                <ApproversInput label={`To whom, in step ${index + 1}`} value={step.to} onChange={(to) => change({ escalation: replace(escalation, index, { ...step, to }) })} />
              </Row>
            ))}
          </Part>
          <Group align="flex-start">
            <TimeInput label="Expires after" w={200} value={rule.deadline_seconds ?? 5 * DAY} onChange={(deadline_seconds) => change({ deadline_seconds })} />
            <TimeInput label="Remind every" description="0: never" w={200} value={rule.remind_every_seconds ?? DAY} onChange={(remind_every_seconds) => change({ remind_every_seconds })} />
            <Select label="Renewals that differ in nothing" w={280} data={RENEWALS} allowDeselect={false} value={rule.unchanged_renewals ?? 'wait'} onChange={(next) => change({ unchanged_renewals: next as Rule['unchanged_renewals'] })} />
          </Group>
          <Group justify="space-between">
            <Button type="submit" loading={save.isPending}>Save as a new version of the profile</Button>
            {before && <Button variant="light" color="red" loading={save.isPending} onClick={() => save.mutate(null)}>Ask nobody any more</Button>}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function When({ value, onChange }: { value: readonly Condition[]; onChange: (value: Condition[]) => void }) {
  const long = value.find((each) => typeof each !== 'string');
  const words = value.map((each) => (typeof each === 'string' ? each : 'long'));
  const choose = (next: string[]) => onChange(next.map((word) => (word === 'long' ? (long ?? { validity_above_seconds: 90 * DAY }) : (word as Condition))));
  return (
    <Group align="flex-start">
      <MultiSelect label="A request waits where" description="any of these holds" style={{ flex: 1, minWidth: 260 }} required data={CONDITIONS} value={words} onChange={choose} />
      {long && typeof long !== 'string' && (
        <TimeInput label="Longer than" w={200} value={long.validity_above_seconds} onChange={(seconds) => onChange(value.map((each) => (typeof each === 'string' ? each : { validity_above_seconds: seconds })))} />
      )}
    </Group>
  );
}

function Part({ title, note, add, onAdd, children }: { title: string; note: string; add: string; onAdd: () => void; children: ReactNode }) {
  return (
    <fieldset className={css.part}>
      <legend><strong>{title}</strong> <span className="muted">{note}</span></legend>
      {children}
      <Button size="compact-sm" variant="default" onClick={onAdd}>{add}</Button>
    </fieldset>
  );
}

function Row({ label, onRemove, children }: { label: string; onRemove?: () => void; children: ReactNode }) {
  return (
    <div className={css.row}>
      {children}
      {onRemove && <ActionIcon variant="subtle" color="red" mt={26} aria-label={`Remove ${label}`} onClick={onRemove}><IconTrash size={16} /></ActionIcon>}
    </div>
  );
}
