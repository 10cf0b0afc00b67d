import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Facts, grid, Page, Panel } from '../../components/Page';
import { ErrorNote, SkeletonRows } from '../../components/States';
import { State } from '../../components/Status';
import { Name, When } from '../../components/Text';
import { visible } from '../../lib/names';
import { History } from '../certificates/History';
import { Pipeline } from '../requests/Pipeline';
import css from './automation.module.css';

/** An ACME order, step by step: what was asked, what was probed, what was seen, why it failed. */
export function OrderPage() {
  const { id = '' } = useParams({ strict: false });
  const may = useMay();
  const query = useQuery({ queryKey: ['acme', 'order', id], queryFn: () => call(api.GET('/api/v1/acme/orders/{id}', { params: { path: { id } } })) });
  const order = query.data;
  const first = order?.identifiers[0]?.value;
  return (
    <Page
      title={first ? visible(first) : 'Order'}
      heading={first && <Name of={first} />}
      above={{ label: 'ACME orders', to: '/automation/orders' }}
      lead={order && <><State of={order.status} /> ordered <When at={order.created_at} full /></>}
    >
      {query.error && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Panel flush><SkeletonRows rows={10} /></Panel>}
      {order && (
        <div className={grid.grid}>
          <Panel title="What happened" className={grid.span7}>
            <p className={css.explanation}>{visible(order.explanation)}</p>
            {order.pipeline && <Pipeline status={order.pipeline.status} />}
          </Panel>
          <Panel title="The order" className={grid.span5}>
            <Facts
              rows={[
                ['Account', order.account],
                ['Directory', order.directory],
                ['Profile', order.profile],
                ['Ends', <When at={order.expires_at} full />],
                ['Error', order.error && visible(order.error)],
                ['Request', order.enrollment && <Link to="/requests/$id" params={{ id: order.enrollment }}>{order.enrollment}</Link>],
                ['Certificate', order.certificate && <Link to="/certificates/$id" params={{ id: order.certificate }}>{order.certificate}</Link>],
              ]}
            />
          </Panel>
          {order.authorizations.map((authorization) => <Proof key={authorization.id} authorization={authorization} />)}
          {may('audit:read') && <Panel title="Timeline" flush><History object={order.id} enrollment={order.enrollment} /></Panel>}
        </div>
      )}
    </Page>
  );
}

function Proof({ authorization }: { authorization: Schema<'Authorization'> }) {
  return (
    <Panel title={<>Control over <Name of={`${authorization.wildcard ? '*.' : ''}${authorization.identifier.value}`} /></>} note={<State of={authorization.status} />}>
      {authorization.proof && <p className="muted" style={{ marginTop: 0 }}>Shown by {authorization.proof}, good until <When at={authorization.expires_at} full /></p>}
      {authorization.challenges.map((challenge) => (
        <div key={challenge.type} className={css.challenge}>
          <div className={css.challengeHead}><code>{challenge.type}</code> <State of={challenge.status} />{challenge.validated_at && <span className="muted">seen <When at={challenge.validated_at} /></span>}</div>
          {(challenge.attempts ?? []).map((attempt, index) => (
            <div key={index} className={css.attempt}>
              <strong>Try {index + 1}: {attempt.error}</strong>
              <span className="muted"><When at={attempt.at} full /></span>
              <pre className="wrap">{visible(attempt.detail)}</pre>
            </div>
          ))}
          {challenge.status === 'pending' && (challenge.attempts ?? []).length === 0 && <p className="muted">The client did not ask for this one to be looked at.</p>}
        </div>
      ))}
    </Panel>
  );
}
