import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api, call } from '../api/client';
import { useMay } from '../api/session';
import { DESTINATIONS, type Destination } from './destinations';
import css from './shell.module.css';

function useDestinations(): Destination[] {
  const may = useMay();
  return DESTINATIONS.filter(({ needs }) => !needs || may(needs));
}

/** How many requests wait for this person. */
function useWaiting(): number {
  const may = useMay();
  const { data } = useQuery({
    queryKey: ['approvals', 'mine'],
    queryFn: () => call(api.GET('/api/v1/approvals', { params: { query: { mine: true, limit: 100 } } })),
    enabled: may('approvals:read'),
  });
  return data?.items.length ?? 0;
}

export function Navigation({ onGo }: { onGo?: () => void }) {
  const waiting = useWaiting();
  return (
    <nav className={css.nav} aria-label="Main">
      {useDestinations().map(({ to, label, icon: Icon }) => (
        <Link key={to} to={to} className={css.link} activeOptions={{ exact: to === '/' }} onClick={onGo}>
          <Icon size={18} stroke={1.7} aria-hidden />
          {label}
          {to === '/approvals' && waiting > 0 && (
            <span className={css.count} aria-label={`${waiting} waiting`}>
              {waiting > 99 ? '99+' : waiting}
            </span>
          )}
        </Link>
      ))}
    </nav>
  );
}

/** The same under the thumb. */
export function ThumbBar() {
  const waiting = useWaiting();
  return (
    <nav className={css.thumbs} aria-label="Quick">
      {useDestinations()
        .filter(({ thumb }) => thumb)
        .map(({ to, label, icon: Icon }) => (
          <Link key={to} to={to} className={css.thumb} activeOptions={{ exact: to === '/' }}>
            <span className={css.thumbIcon}>
              <Icon size={22} stroke={1.6} aria-hidden />
              {to === '/approvals' && waiting > 0 && <span className={css.dot} aria-label={`${waiting} waiting`} />}
            </span>
            {label}
          </Link>
        ))}
    </nav>
  );
}
