import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconCopy } from '@tabler/icons-react';
import { suspicion, visible } from '../lib/names';
import { fromNow, localTime, utcTime } from '../lib/time';
import css from './ui.module.css';

/** An instant: how far away, with local time and UTC at hand. */
export function When({ at, full }: { at: string; full?: boolean }) {
  const date = new Date(at);
  const title = `${localTime(date)} here\n${utcTime(date)}`;
  if (!full) {
    return (
      <time dateTime={at} title={title} className="nowrap">
        {fromNow(date)}
      </time>
    );
  }
  return (
    <time dateTime={at} title={title}>
      <span className="nowrap">{localTime(date)} <span className="muted">·</span></span>{' '}
      <span className="muted"><span className="nowrap">{utcTime(date)} ·</span> <span className="nowrap">{fromNow(date)}</span></span>
    </time>
  );
}

/** A name as it is certified; what is hidden in it or imitates another is pointed out. */
export function Name({ of }: { of: string }) {
  const why = suspicion(of);
  if (!why) return <span className="wrap">{of}</span>;
  return (
    <Tooltip label={why} multiline maw={320}>
      <span className={css.suspicious} data-suspicious>
        <IconAlertTriangle size={14} aria-hidden />
        <span className="wrap">{visible(of)}</span>
        <span className="sr-only">. Careful: {why}</span>
      </span>
    </Tooltip>
  );
}

/** The first name and how many more there are. */
export function Names({ of, fallback = 'No names' }: { of: readonly string[]; fallback?: string }) {
  const [first, ...rest] = of;
  if (first === undefined) return <span className="muted">{visible(fallback)}</span>;
  return (
    <span title={of.slice(0, 20).map(visible).join('\n')}>
      <Name of={first} />
      {rest.length > 0 && <span className="muted"> +{rest.length}</span>}
    </span>
  );
}

/** A short text that a click copies. */
export function Copy({ text, shown }: { text: string; shown?: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <button type="button" className={`${css.copy} mono`} onClick={copy} title={copied ? 'Copied' : 'Copy'}>
          <span className="wrap">{shown ?? text}</span>
          {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
        </button>
      )}
    </CopyButton>
  );
}

/** Lines to copy into a shell or a file. */
export function Code({ text, label, maxHeight = 360 }: { text: string; label: string; maxHeight?: number }) {
  return (
    <div className={css.codeBox}>
      <pre className={css.code} style={{ maxHeight }} tabIndex={0} aria-label={label} role="region">
        {text}
      </pre>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <ActionIcon variant="default" onClick={copy} aria-label={copied ? 'Copied' : `Copy ${label}`}>
            {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
          </ActionIcon>
        )}
      </CopyButton>
    </div>
  );
}
