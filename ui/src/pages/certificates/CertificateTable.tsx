import { Button, Checkbox } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconCertificate } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { api, call, type Schema } from '../../api/client';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote, SkeletonRows } from '../../components/States';
import { visible } from '../../lib/names';
import { useAddress } from '../../lib/search';
import { unit } from '../../lib/width';
import type { Column } from './columns';
import type { Query } from './filters';
import css from './inventory.module.css';

type Certificate = Schema<'Certificate'>;

interface TableProps {
  filter: Query;
  sort: string | undefined;
  columns: Column[];
  count: number | undefined;
  selected: ReadonlySet<string>;
  onSelect: (ids: ReadonlySet<string>) => void;
}

const PAGE = 200;

/** The list, as long as it is: only the rows in sight exist, and only the pages in reach are read. */
export function CertificateTable({ filter, sort, columns, count, selected, onSelect }: TableProps) {
  const query = useInfiniteQuery({
    queryKey: ['certificates', 'list', filter, sort],
    queryFn: ({ pageParam }) =>
      call(api.GET('/api/v1/certificates', { params: { query: { ...filter, sort: sort as Query['sort'], limit: PAGE, after: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    retry: false,
    refetchInterval: false,
  });
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  const template = `2.75rem ${columns.map(({ width }) => width).join(' ')}`;
  const all = rows.length > 0 && rows.every(({ id }) => selected.has(id));
  return (
    <Panel flush>
      <div className={css.scroller} role="table" aria-label="Certificates" aria-rowcount={count ?? -1}>
        <div role="row" className={css.head} style={{ gridTemplateColumns: template }}>
          <span role="columnheader">
            <Checkbox size="xs" aria-label="Select all that are loaded" checked={all} indeterminate={!all && selected.size > 0} onChange={() => onSelect(all ? new Set() : new Set(rows.map(({ id }) => id)))} />
          </span>
          {columns.map((column) => (
            <Head key={column.key} column={column} />
          ))}
        </div>
        {query.error && <div style={{ padding: 16 }}><ErrorNote error={query.error} retry={() => void query.refetch()} /></div>}
        {query.isPending && <SkeletonRows rows={14} height={44} />}
        {query.data && rows.length === 0 && <Nothing filtered={Object.keys(filter).length > 0} />}
        {rows.length > 0 && (
          <Rows rows={rows} total={query.hasNextPage ? count : rows.length} columns={columns} template={template} selected={selected} onSelect={onSelect} more={() => { if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage(); }} />
        )}
      </div>
    </Panel>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  return filtered ? (
    <Empty icon={<IconCertificate size={24} />} title="No certificate fits" action={<Button component={Link} to="/certificates" variant="default">Show all certificates</Button>}>
      Take a filter away, or look for a part of a name: <code>name~shop</code>.
    </Empty>
  ) : (
    <Empty
      icon={<IconCertificate size={24} />}
      title="No certificates yet"
      action={<Button component={Link} to="/automation/directories">Set up an ACME client</Button>}
    >
      Point an ACME client at a directory, <Link to="/requests/new">request one by hand</Link>, or <Link to="/certificates/import">bring what you have</Link>.
    </Empty>
  );
}

function Head({ column }: { column: Column }) {
  const [search, change] = useAddress();
  const sort = search.sort ?? (search.expires_within ? 'not_after' : '-created');
  const field = column.sort;
  if (!field) return <span role="columnheader">{column.label}</span>;
  const ascending = sort === field;
  const descending = sort === `-${field}`;
  return (
    <span role="columnheader" aria-sort={ascending ? 'ascending' : descending ? 'descending' : 'none'}>
      <button type="button" className={css.sort} onClick={() => change({ sort: ascending ? `-${field}` : field })}>
        {column.label}
        {ascending && <IconArrowUp size={14} aria-hidden />}
        {descending && <IconArrowDown size={14} aria-hidden />}
      </button>
    </span>
  );
}

interface RowsProps {
  rows: Certificate[];
  total: number | undefined;
  columns: Column[];
  template: string;
  selected: ReadonlySet<string>;
  onSelect: (ids: ReadonlySet<string>) => void;
  more: () => void;
}

const ROW = 44;

function Rows({ rows, total, columns, template, selected, onSelect, more }: RowsProps) {
  const body = useRef<HTMLDivElement>(null);
  const [offset, setOffset] = useState(0);
  const navigate = useNavigate();
  useEffect(() => setOffset(body.current?.offsetTop ?? 0), []);
  const row = ROW * unit();
  const virtual = useWindowVirtualizer({
    count: Math.min(total ?? rows.length, rows.length + PAGE),
    estimateSize: () => row,
    overscan: 12,
    scrollMargin: offset,
  });
  useEffect(() => virtual.measure(), [virtual, row]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - 20) more();
  }, [last, rows.length, more]);
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect(next);
  };
  const onKey = (event: KeyboardEvent<HTMLElement>, id: string) => {
    const target = event.currentTarget;
    if (event.key === 'Enter' && event.target === target) void navigate({ to: '/certificates/$id', params: { id } });
    else if (event.key === ' ' && event.target === target) toggle(id);
    else if (event.key === 'ArrowDown') (target.nextElementSibling as HTMLElement | null)?.focus();
    else if (event.key === 'ArrowUp') (target.previousElementSibling as HTMLElement | null)?.focus();
    else return;
    event.preventDefault();
  };
  return (
    <div ref={body} className={css.body} style={{ height: virtual.getTotalSize() }}>
      {items.map(({ index, start }) => {
        const certificate = rows[index];
        const place = { transform: `translateY(${start - offset}px)`, gridTemplateColumns: template };
        if (!certificate) return <div key={index} className={css.row} style={place} />;
        const name = visible(certificate.names[0] ?? certificate.subject);
        return (
          <div
            key={certificate.id}
            role="row"
            aria-rowindex={index + 2}
            aria-selected={selected.has(certificate.id)}
            tabIndex={0}
            className={css.row}
            style={place}
            onClick={() => void navigate({ to: '/certificates/$id', params: { id: certificate.id } })}
            onKeyDown={(event) => onKey(event, certificate.id)}
          >
            <span role="cell" onClick={(event) => event.stopPropagation()}>
              <Checkbox size="xs" tabIndex={-1} aria-label={`Select ${name}`} checked={selected.has(certificate.id)} onChange={() => toggle(certificate.id)} />
            </span>
            {columns.map((column) => (
              <span role="cell" key={column.key} className={css.cell} data-column={column.key}>
                {column.cell(certificate)}
              </span>
            ))}
          </div>
        );
      })}
    </div>
  );
}
