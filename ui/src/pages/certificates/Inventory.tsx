import { Button } from '@mantine/core';
import { IconFileImport, IconFilePlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { useMay } from '../../api/session';
import { Page } from '../../components/Page';
import { useAddress } from '../../lib/search';
import { plural } from '../../lib/time';
import { BulkBar } from './BulkBar';
import { CertificateTable } from './CertificateTable';
import { columnsOf } from './columns';
import { ExportMenu } from './ExportMenu';
import { filterOf } from './filters';
import { QueryBar } from './QueryBar';

/** Every certificate there is. All that is chosen here stands in the address. */
export function Inventory() {
  const may = useMay();
  const [search] = useAddress();
  const filter = filterOf(search);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const count = useQuery({
    queryKey: ['certificates', 'count', filter],
    queryFn: () => call(api.GET('/api/v1/certificates/count', { params: { query: filter } })),
    retry: false,
  });
  return (
    <Page
      title="Certificates"
      lead={<span className="num">{count.data ? plural(count.data.count, 'certificate') : '\u00a0'}</span>}
      actions={
        <>
          <ExportMenu search={search} count={count.data?.count} />
          {may('certificates:import') && (
            <Button component={Link} to="/certificates/import" variant="default" leftSection={<IconFileImport size={18} />}>
              Import
            </Button>
          )}
          {may('certificates:request') && (
            <Button component={Link} to="/requests/new" leftSection={<IconFilePlus size={18} />}>
              Request
            </Button>
          )}
        </>
      }
    >
      <QueryBar />
      <CertificateTable
        key={JSON.stringify([filter, search.sort])}
        filter={filter}
        sort={search.sort}
        columns={columnsOf(search.columns)}
        count={count.data?.count}
        selected={selected}
        onSelect={setSelected}
      />
      {may('certificates:request') && <BulkBar search={search} selected={selected} count={count.data?.count} onClear={() => setSelected(new Set())} />}
    </Page>
  );
}
