import { Button } from '@mantine/core';
import { useInfiniteQuery, type QueryKey, type UseInfiniteQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { ErrorNote, SkeletonRows } from './States';
import css from './ui.module.css';

export interface Column<Row> {
  name: string;
  cell: (row: Row) => ReactNode;
  width?: number | string;
  /** Left out on phones. */
  wide?: boolean;
  align?: 'right';
}

interface TableProps<Row> {
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
  id: (row: Row) => string;
}

export function Table<Row>({ label, columns, rows, id }: TableProps<Row>) {
  return (
    <div className={css.scroll} tabIndex={0} role="region" aria-label={label}>
      {/* Roles by name: as cards on a phone it is still a table to those who hear it. */}
      <table className={css.table} role="table">
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column.name} role="columnheader" style={{ width: column.width, textAlign: column.align }} className={column.wide ? 'mantine-visible-from-sm' : undefined}>
                {column.name || <span className="sr-only">What to do</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <tr key={id(row)} role="row">
              {columns.map((column) => (
                <td key={column.name} role="cell" data-label={column.name} style={{ textAlign: column.align, whiteSpace: column.name ? undefined : 'nowrap' }} className={column.wide ? 'mantine-visible-from-sm' : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Page<Row> {
  items: Row[];
  next?: string | null;
}

interface PagedProps<Row> extends Omit<TableProps<Row>, 'rows'> {
  queryKey: QueryKey;
  read: (after: string | undefined) => Promise<Page<Row>>;
  empty: ReactNode;
}

/** A list of the API, page by page. */
export function PagedTable<Row>({ queryKey, read, empty, ...table }: PagedProps<Row>) {
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => read(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  if (query.error && !query.data) {
    return (
      <div style={{ padding: 16 }}>
        <ErrorNote error={query.error} retry={() => void query.refetch()} />
      </div>
    );
  }
  if (!query.data) return <SkeletonRows />;
  const rows = query.data.pages.flatMap((page) => page.items);
  if (rows.length === 0) return <>{empty}</>;
  return (
    <>
      <Table {...table} rows={rows} />
      <ShowMore query={query} />
    </>
  );
}

/** The button for the next page of a list, where there is one; a page that does not come says why. */
export function ShowMore({ query }: { query: Pick<UseInfiniteQueryResult, 'hasNextPage' | 'isFetchingNextPage' | 'isFetchNextPageError' | 'error' | 'fetchNextPage'> }) {
  if (!query.hasNextPage) return null;
  return (
    <div style={{ padding: 12, textAlign: 'center', borderTop: '1px solid var(--cw-line)' }}>
      {query.isFetchNextPageError && <ErrorNote error={query.error} />}
      <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        Show more
      </Button>
    </div>
  );
}
