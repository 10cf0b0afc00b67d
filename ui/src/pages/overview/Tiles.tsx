import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMay } from '../../api/session';
import { Skeleton } from '../../components/States';
import css from './overview.module.css';
import { condition } from '../issuers/condition';
import { issuersQuery, NEWS, summaryQuery } from './queries';

interface Tile {
  label: string;
  value: number | undefined;
  tone: string;
  to: string;
  search?: Record<string, string>;
  note?: string;
}

/** Figures that are filters: each opens the list that it counts. */
export function Tiles() {
  const may = useMay();
  const { data } = useQuery(summaryQuery);
  const { data: issuers } = useQuery({ ...issuersQuery, enabled: may('issuers:read') });
  const signing = issuers?.items.filter(({ state }) => state === 'active');
  const unwell = signing?.filter((issuer) => condition(issuer)[0] !== 'ok').length ?? 0;
  const unowned = data?.by_team.find((slice) => !slice.name)?.total ?? 0;
  const list = '/certificates';
  const tiles: Tile[] = [
    { label: 'Active', value: data?.valid, tone: 'ok', to: list, search: { status: 'valid' }, note: data && `of ${data.total.toLocaleString('en')} known` },
    { label: 'Ending soon', value: data?.expiring_30_days, tone: 'warn', to: list, search: { expires_within: '30d', sort: 'not_after' }, note: data && `${data.expiring_7_days.toLocaleString('en')} in 7 days` },
    { label: 'Expired', value: data?.expired, tone: 'bad', to: list, search: { status: 'expired', sort: '-not_after' }, note: 'past their end' },
    { label: 'Revoked', value: data?.revoked, tone: 'off', to: list, search: { status: 'revoked' }, note: 'before their end' },
    { label: 'Failing', value: data?.failed_requests, tone: 'bad', to: '/requests', search: { status: 'failed', lately: 'true' }, note: `in ${NEWS} days` },
    { label: 'Weak keys', value: data?.weak_key.total, tone: 'warn', to: list, search: { weak_key: 'true' }, note: data && `${data.weak_key.valid.toLocaleString('en')} still active` },
    { label: 'Unowned', value: data && unowned, tone: 'info', to: list, search: { owned: 'false' }, note: 'by no team' },
    ...(may('issuers:read') ? [{ label: 'CAs', value: signing?.length, tone: unwell ? 'bad' : 'ok', to: '/issuers', note: signing && (unwell ? `${unwell} unwell` : 'all of them well') }] : []),
  ];
  return (
    <nav className={css.tiles} aria-label="Certificates by state">
      {tiles.map((tile) => (
        <Link key={tile.label} to={tile.to} search={tile.search as never} className={css.tile} data-tone={tile.value ? tile.tone : 'none'}>
          <span className={css.tileLabel}>{tile.label}</span>
          <span className={`${css.tileValue} num`} data-figure={tile.label}>
            {tile.value === undefined ? <Skeleton width={72} height={30} /> : tile.value.toLocaleString('en')}
          </span>
          <span className={css.tileNote}>{tile.note ?? '\u00a0'}</span>
        </Link>
      ))}
    </nav>
  );
}
