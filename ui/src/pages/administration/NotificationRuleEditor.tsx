import { Button, Checkbox, Group, Modal, MultiSelect, SegmentedControl, Stack, TagsInput, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { ErrorNote } from '../../components/States';
import { profilesQuery } from '../policy/Profiles';
import { issuersQuery } from '../overview/queries';

type Rules = Schema<'NotificationRules'>;

/** What people most often want to be told of; others can be written. */
const EVENTS = ['certificate.expiring', 'certificate.expired', 'certificate.issued', 'certificate.revoked', 'renewal.overdue', 'enrollment.awaiting_approval', 'enrollment.failed', 'enrollment.rejected', 'approval.escalated', 'approval.expired', 'issuer.unhealthy', 'issuer.recovered', 'issuer_migration.stopped', 'job.failing', 'job.recovered', 'sign_in.failed', 'certificate.*', 'approval.*', '*'];
const SEVERITIES = ['info', 'notice', 'warning', 'critical'];

const FIRST: Rules = { enabled: true, channels: [], events: ['certificate.expiring', 'certificate.expired', 'renewal.overdue'], min_severity: 'info', ladder: [33, 15, 5, 0] };

/** One rule: which events, of whom, how grave, to which channels and people. */
export function NotificationRuleEditor({ rule, onClose }: { rule: Schema<'NotificationRule'> | null; onClose: () => void }) {
  const [name, setName] = useState(rule?.name ?? '');
  const [rules, setRules] = useState<Rules>(rule?.rules ?? FIRST);
  const change = (parts: Partial<Rules>) => setRules((now) => ({ ...now, ...parts }));
  const recipients = rules.recipients ?? {};
  const tell = (parts: Partial<Schema<'Recipients'>>) => change({ recipients: { ...recipients, ...parts } });
  const channels = useQuery({ queryKey: ['notifications', 'channels'], queryFn: () => call(api.GET('/api/v1/notification-channels')) });
  const teams = useQuery({ queryKey: ['teams'], queryFn: () => call(api.GET('/api/v1/teams')), retry: false });
  const roles = useQuery({ queryKey: ['roles'], queryFn: () => call(api.GET('/api/v1/roles')), retry: false });
  const profiles = useQuery({ ...profilesQuery, retry: false });
  const issuers = useQuery({ ...issuersQuery, retry: false });
  const names = (data: { items: readonly { name: string }[] } | undefined, kept: readonly string[] = []) => [...new Set([...(data?.items ?? []).map((each) => each.name), ...kept])];
  const save = useMutation({
    mutationFn: () => call(api.PUT('/api/v1/notification-rules/{name}', { params: { path: { name } }, body: rules })),
    onSuccess: onClose,
  });
  return (
    <Modal opened onClose={onClose} title={rule ? `Rule ${rule.name}` : 'New rule'} size="lg">
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          {!rule && <TextInput label="Name" description="Small letters, digits and hyphens" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />}
          <TagsInput label="Events" description="certificate.* stands for all that begin so" required data={EVENTS} value={[...rules.events]} onChange={(events) => change({ events })} />
          <MultiSelect label="Channels" required data={names(channels.data, rules.channels)} nothingFoundMessage="Make a channel first" value={[...rules.channels]} onChange={(next) => change({ channels: next })} />
          <div>
            <div className="muted" style={{ marginBottom: 4 }}>How grave at least</div>
            <SegmentedControl fullWidth aria-label="How grave at least" data={SEVERITIES} value={rules.min_severity ?? 'info'} onChange={(next) => change({ min_severity: next as Rules['min_severity'] })} />
          </div>
          <Group grow align="flex-start">
            <MultiSelect label="Of these teams" placeholder={rules.teams?.length ? undefined : 'All'} data={names(teams.data, rules.teams)} value={[...(rules.teams ?? [])]} onChange={(next) => change({ teams: next })} />
            <MultiSelect label="Under these profiles" placeholder={rules.profiles?.length ? undefined : 'All'} data={names(profiles.data, rules.profiles)} value={[...(rules.profiles ?? [])]} onChange={(next) => change({ profiles: next })} />
          </Group>
          <Group grow align="flex-start">
            <MultiSelect label="By these issuers" placeholder={rules.issuers?.length ? undefined : 'All'} data={names(issuers.data, rules.issuers)} value={[...(rules.issuers ?? [])]} onChange={(next) => change({ issuers: next })} />
            <TagsInput label="Per cent of its life" description="at which a certificate’s end is told; 0 is the end" value={(rules.ladder ?? []).map(String)} onChange={(next) => change({ ladder: next.map(Number).filter((each) => Number.isInteger(each) && each >= 0 && each <= 100) })} />
          </Group>
          <TextInput label="Only where" description="An expression over event and severity" placeholder="event.data.metadata.stage == 'production'" classNames={{ input: 'mono' }} value={rules.when ?? ''} onChange={(event) => change({ when: event.currentTarget.value || null })} />
          <Group grow align="flex-start">
            <TagsInput label="Mails also to" placeholder="ops@example.org" value={[...(recipients.addresses ?? [])]} onChange={(addresses) => tell({ addresses })} />
            <MultiSelect label="Mails to holders of" data={names(roles.data, recipients.roles)} value={[...(recipients.roles ?? [])]} onChange={(next) => tell({ roles: next })} />
          </Group>
          <Checkbox label="A mail to each whose turn it is to decide, with a link of their own" checked={recipients.approvers ?? false} onChange={(event) => tell({ approvers: event.currentTarget.checked })} />
          <Checkbox label="In force" checked={rules.enabled !== false} onChange={(event) => change({ enabled: event.currentTarget.checked })} />
          <Button type="submit" loading={save.isPending}>Save</Button>
        </Stack>
      </form>
    </Modal>
  );
}
