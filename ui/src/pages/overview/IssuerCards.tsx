import { IconBuildingBank } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Panel } from '../../components/Page';
import { Loaded } from '../../components/States';
import { State, Status } from '../../components/Status';
import { When } from '../../components/Text';
import { daysUntil } from '../../lib/time';
import css from './overview.module.css';
import { issuersQuery, summaryQuery } from './queries';

/** The CAs: whether they are well, and what part of the load they carry. */
export function IssuerCards() {
  const may = useMay();
  const query = useQuery({ ...issuersQuery, enabled: may('issuers:read') });
  const { data: summary } = useQuery(summaryQuery);
  const loads = new Map(summary?.by_issuer.map((slice) => [slice.name, slice.valid]));
  const all = [...loads.values()].reduce((sum, count) => sum + count, 0);
  if (!may('issuers:read')) return null;
  return (
    <Panel title="Certificate authorities" flush note={<Link to="/issuers">All issuers</Link>}>
      <Loaded query={query} rows={3}>
        {(page) => (
          <ul className={css.issuers}>
            {page.items.filter((issuer) => issuer.state !== 'retired').slice(0, 8).map((issuer) => (
              <li key={issuer.id}>
                <Link to="/issuers/$name" params={{ name: issuer.name }} className={css.issuer}>
                  <span className={css.issuerName}>
                    <IconBuildingBank size={16} aria-hidden /> <span className="clip">{issuer.name}</span>
                  </span>
                  <Health issuer={issuer} />
                  <span className={css.load}>
                    <span style={{ width: `${all ? (100 * (loads.get(issuer.name) ?? 0)) / all : 0}%` }} />
                  </span>
                  <span className={css.tileNote}>
                    {(loads.get(issuer.name) ?? 0).toLocaleString('en')} active
                    {issuer.crl && <> · CRL until <When at={issuer.crl.next_update} /></>}
                  </span>
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}

function Health({ issuer }: { issuer: Schema<'Issuer'> }) {
  if (issuer.state !== 'active') return <State of={issuer.state} />;
  if (issuer.crl && Date.parse(issuer.crl.next_update) < Date.now()) return <Status tone="bad">CRL is out of date</Status>;
  if (issuer.certificate && daysUntil(issuer.certificate.not_after) < 90) return <Status tone="warn">CA ends soon</Status>;
  return <Status tone="ok">Healthy</Status>;
}
