import { Button, Stack, Textarea } from '@mantine/core';
import { IconArrowsExchange, IconRefresh } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Danger } from '../../components/Danger';
import { Facts, grid, Page, Panel } from '../../components/Page';
import { ErrorNote, SkeletonRows } from '../../components/States';
import { Code, Copy, When } from '../../components/Text';
import { visible } from '../../lib/names';
import { useAddress } from '../../lib/search';
import { keyKind } from '../../lib/words';
import { History } from '../certificates/History';
import { Connection } from './Connection';
import { Health } from './Health';
import { IssuerState } from './IssuerState';
import { Migrations } from './Migrations';
import { ServiceTable } from './Services';
import { Swap } from './Swap';
import { Weights } from './Weights';

type Issuer = Schema<'Issuer'>;

export function IssuerPage() {
  const { name = '' } = useParams({ strict: false });
  const may = useMay();
  const [search] = useAddress();
  const query = useQuery({ queryKey: ['issuers', name], queryFn: () => call(api.GET('/api/v1/issuers/{name}', { params: { path: { name } } })) });
  const issuer = query.data;
  return (
    <Page title={name} above={{ label: 'Issuers', to: '/issuers' }} lead={issuer && <><IssuerState issuer={issuer} /> {issuer.is_root ? 'trust anchor' : issuer.kind}</>} actions={issuer && <Actions issuer={issuer} />}>
      {query.error && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Panel flush><SkeletonRows rows={10} /></Panel>}
      {issuer && search.swap && <Swap from={issuer.name} />}
      {issuer && <Migrations from={issuer.name} />}
      {issuer && (
        <div className={grid.grid}>
          <div className={`${grid.span7} ${grid.stack}`}>
            <Panel title="CA certificate">{issuer.certificate ? <Certificate of={issuer.certificate} /> : <Await name={name} />}</Panel>
            {!issuer.is_root && <Panel title="Part of the load" note="by profile; takes effect with the next request"><Weights issuer={name} /></Panel>}
          </div>
          <div className={`${grid.span5} ${grid.stack}`}>
            <Panel title="How it does" note="live"><Health issuer={issuer} /></Panel>
            <Panel title="Revocation and backlog"><Revocation issuer={issuer} /></Panel>
            <Panel title="Connection"><Connection issuer={issuer} /></Panel>
          </div>
          {may('audit:read') && <Panel title="History" flush><History object={issuer.id} /></Panel>}
        </div>
      )}
    </Page>
  );
}

function Certificate({ of }: { of: NonNullable<Issuer['certificate']> }) {
  return (
    <Stack>
      <Facts
        rows={[
          ['Subject', visible(of.subject)],
          ['Issued by', visible(of.issuer)],
          ['Valid until', <When at={of.not_after} full />],
          ['Key', keyKind(of.key_kind)],
          ['Serial', <Copy text={of.serial} />],
          ['SHA-256', <Copy text={of.fingerprint} />],
        ]}
      />
      <Code text={of.chain} label="the chain" maxHeight={160} />
    </Stack>
  );
}

/** A key that waits for its certificate. */
function Await({ name }: { name: string }) {
  const [certificates, setCertificates] = useState('');
  const { data } = useQuery({ queryKey: ['issuers', name, 'csr'], queryFn: () => call(api.GET('/api/v1/issuers/{name}/csr', { params: { path: { name } } })) });
  const install = useMutation({ mutationFn: () => call(api.POST('/api/v1/issuers/{name}/certificate', { params: { path: { name } }, body: { certificates } })) });
  return (
    <Stack>
      <p style={{ margin: 0 }}>Have this request certified as a CA, then paste what comes back.</p>
      {data && <Code text={data.csr} label="the CSR" maxHeight={200} />}
      {install.error && <ErrorNote error={install.error} />}
      <Textarea label="Certificate and those above it" autosize minRows={5} classNames={{ input: 'mono' }} value={certificates} onChange={(event) => setCertificates(event.currentTarget.value)} />
      <Button disabled={!certificates.includes('BEGIN CERTIFICATE')} loading={install.isPending} onClick={() => install.mutate()}>Take it into use</Button>
    </Stack>
  );
}

function Revocation({ issuer }: { issuer: Issuer }) {
  const may = useMay();
  const refresh = useMutation({ mutationFn: () => call(api.POST('/api/v1/issuers/{name}/crl', { params: { path: { name: issuer.name } } })) });
  const { crl } = issuer;
  return (
    <Stack gap="sm">
      {refresh.error && <ErrorNote error={refresh.error} />}
      <ServiceTable issuer={issuer} />
      {issuer.health && !crl && <p className="muted" style={{ margin: 0 }}>Found where its newest certificates point to, as everybody who relies on them looks. Looked <When at={issuer.health.checked_at} />.</p>}
      {crl && may('issuers:operate') && <Button variant="default" leftSection={<IconRefresh size={16} />} loading={refresh.isPending} onClick={() => refresh.mutate()}>Publish the next CRL now</Button>}
    </Stack>
  );
}

function Actions({ issuer }: { issuer: Issuer }) {
  const may = useMay();
  const [, change] = useAddress();
  const wanted = issuer.state === 'retired' ? 'active' : 'retired';
  const act = useMutation({ mutationFn: () => call(api.POST('/api/v1/issuers/{name}/state', { params: { path: { name: issuer.name } }, body: { state: wanted } })) });
  return (
    <>
      {act.error && <ErrorNote error={act.error} />}
      <Button component="a" href={`/certificates?issuer=${encodeURIComponent(issuer.name)}`} variant="default">Its certificates</Button>
      {may('issuers:read') && !issuer.is_root && (
        <Button variant="default" leftSection={<IconArrowsExchange size={16} />} onClick={() => change({ swap: 'yes' }, true)}>Move away from it</Button>
      )}
      {may('issuers:operate') && !issuer.is_root && issuer.state !== 'awaiting-certificate' && (
        (wanted === 'retired'
          ? <Danger label="Retire" of={issuer.name} size="sm" consequence="It signs no more certificates. What it signed stays valid, and its CRL and OCSP answers go on." loading={act.isPending} onConfirm={() => act.mutate()} />
          : <Button variant="light" loading={act.isPending} onClick={() => act.mutate()}>Put to work again</Button>)
      )}
    </>
  );
}
