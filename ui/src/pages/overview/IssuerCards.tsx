import { IconBuildingBank } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMay } from '../../api/session';
import { Panel } from '../../components/Page';
import { Loaded } from '../../components/States';
import { IssuerState } from '../issuers/IssuerState';
import { ServiceLines } from '../issuers/Services';
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
                    <IssuerState issuer={issuer} />
                  </span>
                  <span className={css.load}>
                    <span style={{ width: `${all ? (100 * (loads.get(issuer.name) ?? 0)) / all : 0}%` }} />
                  </span>
                  <span className={css.tileNote}>
                    {(loads.get(issuer.name) ?? 0).toLocaleString('en')} active
                    {issuer.live && !issuer.is_root && <> · {Math.round(100 * issuer.live.share)} % of the last hour</>}
                  </span>
                  <ServiceLines issuer={issuer} />
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
}
