import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { raw, type Schema } from '../../api/client';
import { save } from '../../lib/download';
import { workbook, type Cell } from '../../lib/xlsx';
import { filterOf } from './filters';

type Search = Record<string, string | undefined>;

/** What a sheet can hold. */
const MOST_ROWS = 1_000_000;

function address(search: Search, format: string): string {
  const filter = Object.entries({ ...filterOf(search), sort: search.sort, format }).filter(([, value]) => value);
  return `/api/v1/certificates/export?${new URLSearchParams(filter as [string, string][]).toString()}`;
}

/** All that fit the filters, as a file. */
export function ExportMenu({ search, count }: { search: Search; count: number | undefined }) {
  const xlsx = useMutation({
    mutationFn: async () => save(workbook('Certificates', rows(await (await raw(address(search, 'jsonl'))).text())), 'certificates.xlsx'),
  });
  const json = useMutation({
    mutationFn: async () => {
      const lines = (await (await raw(address(search, 'jsonl'))).text()).trim();
      save(new Blob([`[${lines.replaceAll('\n', ',\n')}]`], { type: 'application/json' }), 'certificates.json');
    },
  });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={18} />} loading={xlsx.isPending || json.isPending} disabled={count === 0}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={address(search, 'csv')} download="certificates.csv">
          CSV
        </Menu.Item>
        <Menu.Item disabled={(count ?? 0) > MOST_ROWS} onClick={() => xlsx.mutate()}>
          XLSX
        </Menu.Item>
        <Menu.Item onClick={() => json.mutate()}>JSON</Menu.Item>
        <Menu.Item component="a" href={address(search, 'jsonl')} download="certificates.jsonl">
          JSON lines
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function* rows(lines: string): Generator<Cell[]> {
  yield ['Names', 'Subject', 'State', 'Not before', 'Not after', 'Issuer', 'Profile', 'Owner', 'Key', 'Serial', 'Fingerprint', 'Origin', 'Id', 'Metadata'];
  for (const line of lines.split('\n')) {
    if (!line) continue;
    const certificate = JSON.parse(line) as Schema<'Certificate'>;
    yield [
      certificate.names.join(', '), certificate.subject, certificate.status, certificate.not_before, certificate.not_after,
      certificate.issuer ?? certificate.issuer_name, certificate.profile ?? '', certificate.team ?? '', certificate.key_kind,
      certificate.serial, certificate.fingerprint, certificate.origin, certificate.id,
      Object.entries(certificate.metadata ?? {}).map(([name, value]) => `${name}=${String(value)}`).join('; '),
    ];
  }
}
