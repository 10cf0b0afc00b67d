import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Facts, grid, Page, Panel } from '../../components/Page';
import { ErrorNote, SkeletonRows } from '../../components/States';
import { CertificateState, Status } from '../../components/Status';
import { Copy, Name, When } from '../../components/Text';
import { visible } from '../../lib/names';
import { keyKind } from '../../lib/words';
import { CertificateActions } from './Actions';
import { Chain } from './Chain';
import { Findings } from './Findings';
import { History } from './History';
import { Lineage } from './Lineage';
import { MetadataPanel } from './MetadataPanel';

type Certificate = Schema<'Certificate'>;

export const certificateQuery = (id: string) => ({
  queryKey: ['certificates', 'one', id],
  queryFn: () => call(api.GET('/api/v1/certificates/{id}', { params: { path: { id } } })),
});

/** Everything about one certificate. */
export function CertificatePage() {
  const { id = '' } = useParams({ strict: false });
  const query = useQuery(certificateQuery(id));
  const certificate = query.data;
  const title = certificate ? visible(certificate.names[0] ?? certificate.subject) : 'Certificate';
  return (
    <Page
      title={title}
      heading={certificate?.names[0] ? <Name of={certificate.names[0]} /> : undefined}
      above={{ label: 'Certificates', to: '/certificates' }}
      lead={certificate && <Lead certificate={certificate} />}
      actions={certificate && <CertificateActions certificate={certificate} />}
    >
      {query.error && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Panel flush><SkeletonRows rows={12} /></Panel>}
      {certificate && <Body certificate={certificate} />}
    </Page>
  );
}

function Lead({ certificate }: { certificate: Certificate }) {
  return (
    <>
      <CertificateState certificate={certificate} /> ends <When at={certificate.not_after} full />
    </>
  );
}

function Body({ certificate }: { certificate: Certificate }) {
  const may = useMay();
  return (
    <div className={grid.grid}>
      <Findings certificate={certificate} />
      <div className={`${grid.span7} ${grid.stack}`}>
        <Panel title="Summary">
          <Summary certificate={certificate} />
        </Panel>
      </div>
      <div className={`${grid.span5} ${grid.stack}`}>
        <Panel title="Chain" note="from the trust anchor down">
          <Chain certificate={certificate} />
        </Panel>
        <Panel title="Lineage" note="renewals and re-keys">
          <Lineage certificate={certificate} />
        </Panel>
      </div>
      <MetadataPanel id={certificate.id} className={grid.span7} />
      <Locations certificate={certificate} className={grid.span5} />
      {may('audit:read') && (
        <Panel title="History" flush>
          <History object={certificate.id} enrollment={certificate.enrollment} />
        </Panel>
      )}
    </div>
  );
}

function Summary({ certificate }: { certificate: Certificate }) {
  const names = certificate.names;
  return (
    <Facts
      rows={[
        ['Names', names.length > 0 && <>{names.map((name) => <div key={name}><Name of={name} /></div>)}</>],
        ['Subject', visible(certificate.subject)],
        ['Issuer', <>{visible(certificate.issuer_name)}{certificate.issuer && <span className="muted"> · {certificate.issuer}</span>}</>],
        ['Valid from', <When at={certificate.not_before} full />],
        ['Valid until', <When at={certificate.not_after} full />],
        ['Renewal', certificate.renewal && (certificate.renewal.due ? <Status tone="warn">Due now</Status> : <>due <When at={certificate.renewal.start} full /></>)],
        ['Revoked', certificate.revocation && <><When at={certificate.revocation.at} full /> · {certificate.revocation.reason}</>],
        ['Key', <>{keyKind(certificate.key_kind)} {certificate.weak_key && <Status tone="warn">Weak</Status>}</>],
        ['Profile', certificate.profile && <>{certificate.profile} <span className="muted">version {certificate.profile_version}</span></>],
        ['Owner', certificate.team ?? <span className="muted">nobody answers for it</span>],
        ['Origin', certificate.origin],
        ['Serial', <Copy text={certificate.serial} />],
        ['SHA-256', <Copy text={certificate.fingerprint} />],
        ['Id', <Copy text={certificate.id} />],
      ]}
    />
  );
}

function Locations({ certificate, className }: { certificate: Certificate; className?: string }) {
  const rows: [string, string | null | undefined][] = [
    ['ACME account', certificate.account],
    ['Directory', certificate.directory],
    ['Request', certificate.enrollment],
  ];
  return (
    <Panel title="Where it came from" className={className}>
      <Facts rows={rows.map(([name, value]) => [name, value && (value.startsWith('enr_') ? <Link to="/requests/$id" params={{ id: value }}>The way it came</Link> : value)])} />
      {rows.every(([, value]) => !value) && <p className="muted" style={{ margin: 0 }}>It came by import or discovery: nobody fetched it from here.</p>}
    </Panel>
  );
}

