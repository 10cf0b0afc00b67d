import { useLiveState, type LiveState } from '../api/live';
import css from './shell.module.css';

const TEXTS: Record<LiveState, string> = {
  live: 'Live',
  connecting: 'Connecting…',
  off: 'Not connected',
};

/** Whether what is shown follows what happens. */
export function LiveMark() {
  const state = useLiveState();
  return (
    <div className={css.live} data-state={state} role="status">
      {TEXTS[state]}
    </div>
  );
}
