import { Alert, Button, Modal, SegmentedControl, Select, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { ErrorNote } from '../../components/States';
import { plural } from '../../lib/time';
import { REVOCATION_REASONS } from '../../lib/words';
import { summaryQuery } from '../overview/queries';
import { filterBody } from './filters';
import css from './inventory.module.css';

interface BulkBarProps {
  search: Record<string, string | undefined>;
  selected: ReadonlySet<string>;
  count: number | undefined;
  onClear: () => void;
}

const MOST = 10_000;

type Kind = Schema<'BulkAction'>['kind'];

/** What can be done to many: to those that are chosen, or to all that fit the filters. */
export function BulkBar({ search, selected, count, onClear }: BulkBarProps) {
  const may = useMay();
  const [open, setOpen] = useState<'selected' | 'filtered' | null>(null);
  const isFiltered = Object.keys(filterBody(search)).length > 0;
  const isTooMany = (count ?? 0) > MOST;
  if (selected.size === 0 && !(isFiltered && count)) return null;
  return (
    <div className={css.bulk} role="region" aria-label="Bulk actions">
      {selected.size > 0 ? (
        <>
          <strong className="num">{plural(selected.size, 'certificate')} chosen</strong>
          <Button size="xs" onClick={() => setOpen('selected')}>Do something to them…</Button>
          <Button size="xs" variant="subtle" onClick={onClear}>Choose none</Button>
        </>
      ) : (
        <span className="muted">{isTooMany ? `Choose rows, or narrow the filters: up to ${MOST.toLocaleString('en')} at once can be acted on.` : 'Choose rows, or act on all that fit the filters.'}</span>
      )}
      {isFiltered && !isTooMany && selected.size === 0 && (
        <Button size="xs" variant="default" onClick={() => setOpen('filtered')}>
          All {count?.toLocaleString('en')} that fit…
        </Button>
      )}
      {open && <Plan what={open === 'selected' ? { ids: [...selected] } : { filter: filterBody(search) as never }} count={open === 'selected' ? selected.size : (count ?? 0)} mayRevoke={may('certificates:revoke')} onClose={() => setOpen(null)} />}
    </div>
  );
}

interface PlanProps {
  what: Pick<Schema<'PlanBulk'>, 'ids' | 'filter'>;
  count: number;
  mayRevoke: boolean;
  onClose: () => void;
}

/** First a plan, which changes nothing; its page shows it, and runs it. */
function Plan({ what, count, mayRevoke, onClose }: PlanProps) {
  const navigate = useNavigate();
  const { data: summary } = useQuery(summaryQuery);
  const { data: fields } = useQuery({ queryKey: ['policy', 'fields'], queryFn: () => call(api.GET('/api/v1/metadata-fields')), retry: false });
  const [kind, setKind] = useState<Kind>('renew');
  const [reason, setReason] = useState('superseded');
  const [team, setTeam] = useState<string | null>(null);
  const [field, setField] = useState<string | null>(null);
  const [value, setValue] = useState('');
  const action = (): Schema<'BulkAction'> => {
    switch (kind) {
      case 'renew':
        return { kind };
      case 'revoke':
        return { kind, reason: reason as never };
      case 'transfer':
        return { kind, team };
      case 'edit-metadata':
        return { kind, metadata: { [field ?? '']: value || null } as never };
    }
  };
  const plan = useMutation({
    mutationFn: () => call(api.POST('/api/v1/certificates/bulk', { body: { ...what, action: action() } })),
    onSuccess: (bulk) => navigate({ to: '/bulk/$id', params: { id: bulk.id } }),
  });
  const kinds: { value: Kind; label: string }[] = [
    { value: 'renew', label: 'Renew' },
    ...(mayRevoke ? [{ value: 'revoke' as const, label: 'Revoke' }] : []),
    { value: 'transfer', label: 'Transfer' },
    { value: 'edit-metadata', label: 'Metadata' },
  ];
  return (
    <Modal opened onClose={onClose} title={`Plan for ${plural(count, 'certificate')}`} size="md">
      <Stack>
        <Alert color="gray" p="sm">This only makes a plan. The next page shows what it would do and to which, and runs it.</Alert>
        {plan.error && <ErrorNote error={plan.error} />}
        <SegmentedControl aria-label="Action" data={kinds} value={kind} onChange={(next) => setKind(next as Kind)} fullWidth />
        {kind === 'revoke' && <Select label="Reason" data={REVOCATION_REASONS} value={reason} onChange={(next) => setReason(next ?? 'unspecified')} allowDeselect={false} />}
        {kind === 'transfer' && <Select label="New owner" placeholder="Nobody" clearable data={(summary?.by_team ?? []).flatMap((slice) => slice.name ?? [])} value={team} onChange={setTeam} />}
        {kind === 'edit-metadata' && (
          <>
            <Select label="Field" required data={(fields?.items ?? []).map(({ name }) => name)} value={field} onChange={setField} nothingFoundMessage="No fields are defined; see Policy" />
            <TextInput label="Value" placeholder="Empty takes the value away" value={value} onChange={(event) => setValue(event.currentTarget.value)} />
          </>
        )}
        <Button loading={plan.isPending} disabled={kind === 'edit-metadata' && !field} onClick={() => plan.mutate()}>
          Show the plan
        </Button>
      </Stack>
    </Modal>
  );
}
