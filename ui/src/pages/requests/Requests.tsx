import { Button, Checkbox, SegmentedControl } from '@mantine/core';
import { IconFilePlus } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Page, Panel } from '../../components/Page';
import { Empty } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { Names, When } from '../../components/Text';
import { useAddress } from '../../lib/search';
import { Requester } from '../../components/Who';
import { NEWS, sinceNews } from '../overview/queries';

const STATES = [
  { value: 'all', label: 'All' },
  { value: 'awaiting-approval', label: 'Wait for people' },
  { value: 'awaiting-issuer', label: 'Wait for a CA' },
  { value: 'failed', label: 'Failed' },
  { value: 'rejected', label: 'Rejected' },
  { value: 'issued', label: 'Issued' },
];

/** Passes through the issuance pipeline, whoever asked. */
export function Requests() {
  const may = useMay();
  const [search, change] = useAddress();
  const status = search.status ?? 'all';
  const isLately = search.lately === 'true';
  const request = may('certificates:request') && (
    <Button component={Link} to="/requests/new" leftSection={<IconFilePlus size={18} />}>
      Request a certificate
    </Button>
  );
  return (
    <Page title="Requests" lead="Every pass through the pipeline: by ACME, by the API, by hand." actions={request}>
      <div style={{ overflowX: 'auto' }}>
        <SegmentedControl aria-label="State" data={STATES} value={status} onChange={(next) => change({ status: next === 'all' ? undefined : next })} />
      </div>
      <Panel flush title="Requests" note={<Checkbox size="xs" label={`Only what changed in the last ${NEWS} days`} checked={isLately} onChange={(event) => change({ lately: event.currentTarget.checked ? 'true' : undefined })} />}>
        <PagedTable
          label="Requests"
          queryKey={['enrollments', 'list', status, isLately]}
          read={(after) =>
            call(api.GET('/api/v1/enrollments', { params: { query: { limit: 50, after, ...(isLately ? { changed_since: sinceNews() } : {}), status: status === 'all' ? undefined : (status as Schema<'EnrollmentStatus'>) } } }))
          }
          id={(enrollment) => enrollment.id}
          empty={<Empty icon={<IconFilePlus size={24} />} title="No requests here" action={request}>Ask for a certificate, or point an ACME client at a directory.</Empty>}
          columns={[
            { name: 'Names', cell: (e) => <Link to="/requests/$id" params={{ id: e.id }}><Names of={e.identifiers.map(({ value }) => value)} /></Link> },
            { name: 'State', cell: (e) => <State of={e.status} />, width: 160 },
            { name: 'Profile', cell: (e) => e.profile, wide: true },
            { name: 'Asked for by', cell: (e) => <span className="wrap"><Requester of={e.requester} people={e.people} /></span>, wide: true },
            { name: 'Why', cell: (e) => <span className="muted wrap">{e.reason}</span>, wide: true },
            { name: 'When', cell: (e) => <When at={e.created_at} /> },
          ]}
        />
      </Panel>
    </Page>
  );
}
