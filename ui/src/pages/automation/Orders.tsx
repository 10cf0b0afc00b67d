import { IconListCheck } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { api, call } from '../../api/client';
import { Panel } from '../../components/Page';
import { Empty } from '../../components/States';
import { State } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { Names, When } from '../../components/Text';
import { ToDirectories } from './ClientSetup';
import { visible } from '../../lib/names';

export function Orders() {
  return (
    <Panel title="Orders" flush>
      <PagedTable
        label="ACME orders"
        queryKey={['acme', 'orders']}
        read={(after) => call(api.GET('/api/v1/acme/orders', { params: { query: { limit: 50, after } } }))}
        id={(order) => order.id}
        empty={<Empty icon={<IconListCheck size={24} />} title="No orders yet" action={<ToDirectories />}>What ACME clients ask for shows here, and why it failed, if it did.</Empty>}
        columns={[
          { name: 'Names', cell: (order) => <Link to="/orders/$id" params={{ id: order.id }}><Names of={order.identifiers.map(({ value }) => value)} /></Link> },
          { name: 'State', cell: (order) => <State of={order.status} /> },
          { name: 'Profile', cell: (order) => order.profile, wide: true },
          { name: 'Why it failed', cell: (order) => <span className="muted wrap">{order.error && visible(order.error)}</span>, wide: true },
          { name: 'When', cell: (order) => <When at={order.created_at} /> },
        ]}
      />
    </Panel>
  );
}
