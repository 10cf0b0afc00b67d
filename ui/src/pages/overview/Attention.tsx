import { IconCircleCheck, IconCircleDot, IconClockExclamation, IconUserQuestion, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useMay } from '../../api/session';
import { Panel } from '../../components/Page';
import { ErrorNote, SkeletonRows } from '../../components/States';
import { Names, When } from '../../components/Text';
import { fromNow, plural } from '../../lib/time';
import css from './overview.module.css';
import { alertsQuery, failedQuery, pendingQuery, retryingQuery } from './queries';

interface Item {
  id: string;
  to: string;
  tone: string;
  icon: ReactNode;
  names: readonly string[];
  why: string;
  at: string;
}

const SHOWN = 8;

/** What somebody should look at, the most urgent first; or that all is clear, and as of when. */
export function Attention({ className }: { className?: string }) {
  const may = useMay();
  const reads = may('certificates:read');
  const alerts = useQuery({ ...alertsQuery, enabled: reads });
  const pending = useQuery({ ...pendingQuery, enabled: may('approvals:read') });
  const failed = useQuery({ ...failedQuery, enabled: reads });
  const retrying = useQuery({ ...retryingQuery, enabled: reads });
  const error = alerts.error ?? pending.error ?? failed.error;
  const isLoading = alerts.isLoading || pending.isLoading || failed.isLoading || retrying.isLoading;
  const items: Item[] = [
    ...(pending.data?.items ?? []).map((approval) => ({
      id: approval.id, to: `/approvals/${approval.id}`, tone: 'wait', icon: <IconUserQuestion size={18} />,
      names: approval.identifiers.map((identifier) => identifier.value),
      why: `waits for ${approval.missing} ${approval.missing === 1 ? 'approval' : 'approvals'}, until ${fromNow(new Date(approval.deadline_at))}`,
      at: approval.created_at,
    })),
    ...(alerts.data?.items ?? []).map((alert) => ({
      id: alert.id, to: `/certificates/${alert.certificate}`, tone: 'warn', icon: <IconClockExclamation size={18} />,
      names: alert.names,
      why: alert.not_after ? `ends ${fromNow(new Date(alert.not_after))}, and nothing follows it` : 'ends without a successor',
      at: alert.opened_at,
    })),
    ...(retrying.data ?? []).map((enrollment) => ({
      id: enrollment.id, to: `/requests/${enrollment.id}`, tone: 'warn', icon: <IconClockExclamation size={18} />,
      names: enrollment.identifiers.map((identifier) => identifier.value),
      why: `${enrollment.reason ?? ''}${enrollment.poll_at ? `; next try ${fromNow(new Date(enrollment.poll_at))}` : ''}`,
      at: enrollment.updated_at,
    })),
    ...(failed.data?.items ?? []).map((enrollment) => ({
      id: enrollment.id, to: `/requests/${enrollment.id}`, tone: 'bad', icon: <IconX size={18} />,
      names: enrollment.identifiers.map((identifier) => identifier.value),
      why: enrollment.reason ?? 'was not issued',
      at: enrollment.updated_at,
    })),
  ];
  const looks: Look[] = [
    { count: pending.data?.items.length, some: (count) => `${plural(count, 'request')} ${count === 1 ? 'waits' : 'wait'} for people`, none: 'No request waits for people' },
    { count: alerts.data?.items.length, some: (count) => `${count}${alerts.data?.next ? '+' : ''} ${count === 1 ? 'ends' : 'end'} without a successor`, none: 'No alert about what ends' },
    { count: retrying.data?.length, some: (count) => `${plural(count, 'request')} tried again`, none: 'No request is tried again' },
    { count: failed.data?.items.length, some: (count) => `${plural(count, 'request')} failed`, none: 'No request failed' },
  ];
  const looked = new Date(alerts.dataUpdatedAt || Date.now()).toISOString();
  return (
    <Panel title="Needs attention" note={items.length > SHOWN ? `the first ${SHOWN} of ${items.length}${alerts.data?.next ? ' and more' : ''}` : undefined} flush className={className}>
      <div className={`${css.fixed} ${css.attention}`}>
        {error && items.length === 0 && <div style={{ padding: 16 }}><ErrorNote error={error} /></div>}
        {!error && isLoading && <SkeletonRows rows={6} height={56} />}
        {!error && !isLoading && items.length === 0 && (
          <div className={css.clear}>
            <IconCircleCheck size={32} stroke={1.5} />
            <strong>All clear</strong>
            <span className="muted">
              Nothing waits, fails or ends without a successor. Looked <When at={looked} />.
            </span>
          </div>
        )}
        <ul className={css.rows}>
          {!isLoading && items.slice(0, SHOWN).map((item) => (
            <li key={item.id}>
              <Link to={item.to} className={css.row}>
                <span className={css.rowIcon} data-tone={item.tone}>{item.icon}</span>
                <span className={css.rowText}>
                  <span className="clip"><Names of={item.names} /></span>
                  <span className={`${css.rowWhy} clip`}>{item.why}</span>
                </span>
                <span className={css.rowWhen}><When at={item.at} /></span>
              </Link>
            </li>
          ))}
        </ul>
        {!isLoading && items.length > 0 && <Looks of={looks} at={looked} />}
      </div>
    </Panel>
  );
}

/** Something that was looked for: how often it was found, or what is said when it was not. */
interface Look {
  count: number | undefined;
  some: (count: number) => string;
  none: string;
}

/** What the list above rests on, what is in order included. */
function Looks({ of, at }: { of: Look[]; at: string }) {
  return (
    <div className={css.looks}>
      <ul>
        {of.map(({ count, some, none }) => count !== undefined && (
          <li key={none} data-tone={count ? 'warn' : 'ok'}>
            {count ? <IconCircleDot size={16} aria-hidden /> : <IconCircleCheck size={16} aria-hidden />}
            {count ? some(count) : none}
          </li>
        ))}
      </ul>
      <span className={css.tileNote}>Looked <When at={at} /></span>
    </div>
  );
}
