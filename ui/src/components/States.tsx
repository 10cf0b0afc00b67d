import { Button, rem } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ApiError } from '../api/client';
import { Prose } from './Prose';
import css from './ui.module.css';

export function Skeleton({ height = 16, width = '100%' }: { height?: number; width?: number | string }) {
  return <div className={css.skeleton} style={{ height: rem(height), width: typeof width === 'number' ? rem(width) : width }} aria-hidden />;
}

/** Rows of the height that the real ones will have, so nothing moves. */
export function SkeletonRows({ rows = 6, height = 41 }: { rows?: number; height?: number }) {
  return (
    <div role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} style={{ height: rem(height), display: 'flex', alignItems: 'center', padding: '0 16px' }}>
          <Skeleton height={12} width={`${88 - ((row * 17) % 40)}%`} />
        </div>
      ))}
    </div>
  );
}

interface EmptyProps {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

/** Nothing to show, and what to do next. */
export function Empty({ icon, title, children, action }: EmptyProps) {
  return (
    <div className={css.empty}>
      {icon && <div className={css.emptyIcon}>{icon}</div>}
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {action && <div style={{ marginTop: 8 }}>{action}</div>}
    </div>
  );
}

/** What went wrong, with every fault and what would mend it. */
export function ErrorNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof ApiError ? error.problem : undefined;
  const violations = problem?.violations ?? [];
  const faults = violations.length ? [] : (problem?.faults ?? []);
  return (
    <div className={`${css.note} ${css.bad}`} role="alert">
      <IconAlertTriangle size={18} style={{ flex: 'none', marginTop: 2 }} />
      <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
        <p>{violations.length ? 'The rules of the profile do not allow this:' : <Prose text={sentence(error)} />}</p>
        {violations.length > 0 && (
          <ul>
            {violations.map((violation, index) => (
              <li key={index}>
                <Prose text={violation.message} />
                {violation.fix && <> — <Prose text={violation.fix} /></>}
              </li>
            ))}
          </ul>
        )}
        {faults.length > 1 && (
          <ul>
            {faults.map((fault) => (
              <li key={fault}>{fault}</li>
            ))}
          </ul>
        )}
        {problem?.request_id && problem.status >= 500 && <p className="mono">Request {problem.request_id}</p>}
        {retry && (
          <Button mt={8} size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </div>
    </div>
  );
}

function sentence(error: unknown): string {
  const text = error instanceof Error ? error.message : 'Something unexpected happened.';
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  rows?: number;
  children: (data: T) => ReactNode;
}

/** The three states of what is read: not there yet, refused, there. */
export function Loaded<T>({ query, rows, children }: LoadedProps<T>) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) {
    return (
      <div style={{ padding: 16 }}>
        <ErrorNote error={query.error} retry={() => void query.refetch()} />
      </div>
    );
  }
  return <SkeletonRows rows={rows} />;
}
