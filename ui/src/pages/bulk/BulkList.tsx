import { Button } from '@mantine/core';
import { IconStack2 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { api, call } from '../../api/client';
import { Page, Panel } from '../../components/Page';
import { Empty } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { Who } from '../../components/Who';
import { When } from '../../components/Text';
import { bulkTitle } from './BulkPage';

export function BulkList() {
  return (
    <Page title="Bulk actions" lead="What was planned for many certificates at once, and how far it is." above={{ label: 'Certificates', to: '/certificates' }}>
      <Panel flush>
        <PagedTable
          label="Bulk actions"
          queryKey={['bulk', 'list']}
          read={(after) => call(api.GET('/api/v1/certificates/bulk', { params: { query: { limit: 50, after } } }))}
          id={(bulk) => bulk.id}
          empty={
            <Empty icon={<IconStack2 size={24} />} title="Nothing was done in bulk yet" action={<Button component={Link} to="/certificates">To the certificates</Button>}>
              Filter or choose certificates, then renew, revoke, transfer or describe all of them. First you see what would happen.
            </Empty>
          }
          columns={[
            { name: 'Action', cell: (bulk) => <Link to="/bulk/$id" params={{ id: bulk.id }}>{bulkTitle(bulk.action)}</Link> },
            { name: 'State', cell: (bulk) => <State of={bulk.status} /> },
            { name: 'Done', cell: (bulk) => <span className="num">{bulk.counts.done} of {bulk.counts.done + bulk.counts.failed + bulk.counts.pending}</span>, align: 'right' },
            { name: 'Failed', cell: (bulk) => <span className="num">{bulk.counts.failed}</span>, align: 'right' },
            { name: 'Planned by', cell: (bulk) => <Who id={bulk.planner} people={bulk.people} />, wide: true },
            { name: 'When', cell: (bulk) => <When at={bulk.created_at} /> },
          ]}
        />
      </Panel>
    </Page>
  );
}
