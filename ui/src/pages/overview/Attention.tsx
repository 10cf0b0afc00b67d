import { Button } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed, IconCircleDot, IconClockExclamation, IconUserQuestion, IconX } from '@tabler/icons-react';
import { useMutation, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { api, call } from '../../api/client';
import { useMay } from '../../api/session';
import { Panel } from '../../components/Page';
import { ErrorNote, SkeletonRows } from '../../components/States';
import { Names, When } from '../../components/Text';
import { visible } from '../../lib/names';
import { fromNow } from '../../lib/time';
import css from './overview.module.css';
import { alertsQuery, failedQuery, NEWS, pendingQuery, retryingQuery } from './queries';

interface Item {
  id: string;
  to: string;
  tone: string;
  icon: ReactNode;
  names: readonly string[];
  why: string;
  at: string;
  /** The alert that somebody may take over. */
  alert?: string;
}

const SHOWN = 8;

/** What somebody should look at, the most urgent first; or that all is clear, and as of when. */
export function Attention({ className }: { className?: string }) {
  const may = useMay();
  const [all, setAll] = useState(false);
  const acknowledge = useMutation({ mutationFn: (id: string) => call(api.POST('/api/v1/alerts/{id}/acknowledge', { params: { path: { id } }, body: {} })) });
  const reads = may('certificates:read');
  const alerts = useQuery({ ...alertsQuery, enabled: reads });
  const pending = useQuery({ ...pendingQuery, enabled: may('approvals:read') });
  const failed = useQuery({ ...failedQuery, enabled: reads });
  const retrying = useQuery({ ...retryingQuery, enabled: reads });
  const queries = [pending, alerts, retrying, failed];
  // What one may not see is not looked at, and waits for nothing.
  const isLoading = queries.some((query) => query.isLoading);
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
      at: alert.opened_at, alert: alert.id,
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
    { query: pending, what: 'what waits for people', count: pending.data?.items.length, more: pending.data?.next, to: '/approvals', search: { view: 'pending' }, some: (count) => `${count} wait${count === '1' ? 's' : ''} for people`, none: 'No request waits for people' },
    { query: alerts, what: 'what ends without a successor', count: alerts.data?.items.length, more: alerts.data?.next, some: (count) => `${count} end${count === '1' ? 's' : ''} without a successor`, none: 'No alert about what ends' },
    { query: retrying, what: 'what is tried again', count: retrying.data?.length, some: (count) => `${count} tried again`, none: 'No request is tried again' },
    { query: failed, what: 'what failed', count: failed.data?.items.length, more: failed.data?.next, to: '/requests', search: { status: 'failed', lately: 'true' }, some: (count) => `${count} failed in ${NEWS} days`, none: `No request failed in ${NEWS} days` },
  ];
  const isComplete = queries.every((query) => query.data !== undefined && !query.error);
  const looked = new Date(Math.min(...queries.flatMap(({ dataUpdatedAt }) => dataUpdatedAt || [])) || Date.now());
  const at = Number.isFinite(looked.getTime()) ? looked.toISOString() : new Date().toISOString();
  const shown = all ? items : items.slice(0, SHOWN);
  const more = items.length > SHOWN && (
    <Button size="compact-xs" variant="subtle" aria-expanded={all} onClick={() => setAll(!all)}>
      {all ? `The first ${SHOWN} only` : `Show all ${items.length}`}
    </Button>
  );
  return (
    <Panel title="Needs attention" note={more || undefined} flush className={className}>
      <div className={`${css.fixed} ${css.attention}`}>
        {isLoading && <SkeletonRows rows={6} height={56} />}
        {acknowledge.error && <div style={{ padding: 16 }}><ErrorNote error={acknowledge.error} /></div>}
        {!isLoading && items.length === 0 && <Nothing isComplete={isComplete} at={at} />}
        <ul className={css.rows}>
          {!isLoading && shown.map((item) => (
            <li key={item.id} className={item.alert ? css.withAction : undefined}>
              <Link to={item.to} className={css.row}>
                <span className={css.rowIcon} data-tone={item.tone}>{item.icon}</span>
                <span className={css.rowText}>
                  <span className="clip"><Names of={item.names} /></span>
                  <span className={`${css.rowWhy} clip`}>{item.why}</span>
                </span>
                <span className={css.rowWhen}><When at={item.at} /></span>
              </Link>
              {item.alert && may('certificates:edit') && (
                <Button size="compact-xs" variant="default" aria-label={`Acknowledge: ${visible(item.names[0] ?? item.id)}`} loading={acknowledge.isPending && acknowledge.variables === item.alert} onClick={() => acknowledge.mutate(item.alert ?? '')}>
                  Acknowledge
                </Button>
              )}
            </li>
          ))}
        </ul>
        {!isLoading && (items.length > 0 || !isComplete) && <Looks of={looks} at={at} />}
      </div>
    </Panel>
  );
}

/** All is clear only where everything was looked at. */
function Nothing({ isComplete, at }: { isComplete: boolean; at: string }) {
  return (
    <div className={css.clear}>
      {isComplete ? <IconCircleCheck size={32} stroke={1.5} /> : <IconCircleDashed size={32} stroke={1.5} />}
      <strong>{isComplete ? 'All clear' : 'Nothing found where one could look'}</strong>
      <span className="muted">
        {isComplete ? 'Nothing waits, fails or ends without a successor.' : 'Not everything was looked at; what was not is named below.'} Looked <When at={at} />.
      </span>
    </div>
  );
}

/** Something that was looked for: how often it was found, what is said when it was not, and where all of it is. */
interface Look {
  query: Pick<UseQueryResult, 'data' | 'error'>;
  what: string;
  count: number | undefined;
  more?: string | null;
  to?: string;
  search?: Record<string, string>;
  some: (count: string) => string;
  none: string;
}

/** What the list above rests on, what is in order and what nobody could look at included. */
function Looks({ of, at }: { of: Look[]; at: string }) {
  return (
    <div className={css.looks}>
      <ul>
        {of.map((look) => (
          <li key={look.none} data-tone={look.query.error ? 'bad' : look.count === undefined ? 'off' : look.count ? 'warn' : 'ok'}>
            {look.query.error ? <IconX size={16} aria-hidden /> : look.count === undefined ? <IconCircleDashed size={16} aria-hidden /> : look.count ? <IconCircleDot size={16} aria-hidden /> : <IconCircleCheck size={16} aria-hidden />}
            <Said look={look} />
          </li>
        ))}
      </ul>
      <span className={css.tileNote}>Looked <When at={at} /></span>
    </div>
  );
}

function Said({ look }: { look: Look }) {
  const { query, what, count, more, to, search, some, none } = look;
  if (query.error) return <span className="wrap">Could not look at {what}: {query.error.message}</span>;
  if (count === undefined) return <span>Not looked at: {what}; your roles do not reach there</span>;
  if (!count) return <span>{none}</span>;
  const said = some(`${count}${more ? '+' : ''}`);
  return to ? <Link to={to} search={search as never}>{said}</Link> : <span>{said}</span>;
}
