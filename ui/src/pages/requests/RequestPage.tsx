import { Button, Modal, PasswordInput, SegmentedControl, Stack } from '@mantine/core';
import { IconCertificate, IconDownload, IconKey } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { api, call, raw, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Danger } from '../../components/Danger';
import { useFieldLabels } from '../../components/fields';
import { Facts, grid, Page, Panel } from '../../components/Page';
import { ErrorNote, SkeletonRows } from '../../components/States';
import { State } from '../../components/Status';
import { Code, Name, When } from '../../components/Text';
import { save } from '../../lib/download';
import { visible } from '../../lib/names';
import { Requester } from '../../components/Who';
import { History } from '../certificates/History';
import { Pipeline } from './Pipeline';

type Enrollment = Schema<'Enrollment'>;

const OVER = ['issued', 'rejected', 'denied', 'expired', 'failed', 'cancelled'];

/** One request on its way through the pipeline; it goes on whether one watches or not. */
export function RequestPage() {
  const { id = '' } = useParams({ strict: false });
  const may = useMay();
  const query = useQuery({
    queryKey: ['enrollments', 'one', id],
    queryFn: () => call(api.GET('/api/v1/enrollments/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data && OVER.includes(state.data.status) ? false : 5_000),
  });
  const enrollment = query.data;
  const first = enrollment?.identifiers[0]?.value;
  return (
    <Page
      title={first ? visible(first) : 'Request'}
      heading={first && <Name of={first} />}
      above={{ label: 'Requests', to: '/requests' }}
      lead={enrollment && <><State of={enrollment.status} /> asked <When at={enrollment.created_at} full /></>}
      actions={enrollment && <Actions enrollment={enrollment} />}
    >
      {query.error && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Panel flush><SkeletonRows rows={10} /></Panel>}
      {enrollment && (
        <>
          <Panel title="On its way">
            <Pipeline status={enrollment.status} />
          </Panel>
          <div className={grid.grid}>
            <Panel title="What was asked for" className={grid.span7}><Asked enrollment={enrollment} /></Panel>
            <Panel title="Where it stands" className={grid.span5}><Standing enrollment={enrollment} /></Panel>
            {enrollment.chain && <Panel title="Certificate and chain"><Code text={enrollment.chain} label="the chain" /></Panel>}
            {may('audit:read') && <Panel title="Timeline" flush><History object={enrollment.id} /></Panel>}
          </div>
        </>
      )}
    </Page>
  );
}

function Asked({ enrollment }: { enrollment: Enrollment }) {
  const label = useFieldLabels();
  return (
    <Facts
      rows={[
        ['Names', enrollment.identifiers.map(({ value }) => <div key={value}><Name of={value} /></div>)],
        ['Subject', enrollment.subject && visible(enrollment.subject)],
        ['Asked for by', <Requester of={enrollment.requester} people={enrollment.people} />],
        ['Profile', <>{enrollment.profile} <span className="muted">version {enrollment.profile_version}</span></>],
        ['Owner', enrollment.team],
        ['Takes the place of', enrollment.replaces && <Link to="/certificates/$id" params={{ id: enrollment.replaces }}>The certificate before it</Link>],
        ...Object.entries(enrollment.metadata ?? {}).map(([name, value]) => [label(name), <>{visible(String(value))} <span className="muted">{enrollment.metadata_sources?.[name]}</span></>] as [string, React.ReactNode]),
      ]}
    />
  );
}

function Standing({ enrollment }: { enrollment: Enrollment }) {
  return (
    <Stack gap="sm">
      {enrollment.reason && <p className="wrap" style={{ margin: 0 }}>{visible(enrollment.reason)}</p>}
      {enrollment.violations?.map((violation, index) => (
        <div key={index} className="wrap"><strong>{violation.message}</strong>{violation.fix && <div className="muted">{violation.fix}</div>}</div>
      ))}
      <Facts
        rows={[
          ['Approval', enrollment.approval && <Link to="/approvals/$id" params={{ id: enrollment.approval }}>Who decides, and on what</Link>],
          ['Decide until', enrollment.deadline_at && <When at={enrollment.deadline_at} full />],
          ['Issuer', enrollment.issuer],
          ['Tries', enrollment.attempts ? String(enrollment.attempts) : undefined],
          ['Next try', enrollment.poll_at && <When at={enrollment.poll_at} full />],
          ['Certificate', enrollment.certificate && <Link to="/certificates/$id" params={{ id: enrollment.certificate }}>The certificate</Link>],
          ['Last change', <When at={enrollment.updated_at} full />],
        ]}
      />
    </Stack>
  );
}

function Actions({ enrollment }: { enrollment: Enrollment }) {
  const may = useMay();
  const [keyOpen, setKeyOpen] = useState(false);
  const cancel = useMutation({ mutationFn: () => call(api.POST('/api/v1/enrollments/{id}/cancel', { params: { path: { id: enrollment.id } }, body: {} })) });
  return (
    <>
      {cancel.error && <ErrorNote error={cancel.error} />}
      {enrollment.links?.key && <Button leftSection={<IconKey size={18} />} onClick={() => setKeyOpen(true)}>Fetch the private key</Button>}
      {enrollment.links?.download && <Button component="a" href={enrollment.links.download} download variant="default" leftSection={<IconDownload size={18} />}>Download</Button>}
      {enrollment.certificate && <Button component={Link} to={`/certificates/${enrollment.certificate}`} variant="default" leftSection={<IconCertificate size={18} />}>Show the certificate</Button>}
      {enrollment.links?.cancel && may('certificates:request') && <Danger label="Withdraw" size="sm" consequence="It is over, whoever agreed. You can ask anew." loading={cancel.isPending} onConfirm={() => cancel.mutate()} />}
      {keyOpen && <KeyDialog enrollment={enrollment} onClose={() => setKeyOpen(false)} />}
    </>
  );
}

/** The key goes from the answer into a file. It is in no cache, no storage, no address. */
function KeyDialog({ enrollment, onClose }: { enrollment: Enrollment; onClose: () => void }) {
  const [format, setFormat] = useState<Schema<'KeyFormat'>>('pkcs8');
  const [password, setPassword] = useState('');
  const name = enrollment.identifiers[0]?.value.replace('*', 'wildcard') ?? enrollment.id;
  const fetchKey = useMutation({
    mutationFn: async () => {
      const response = await raw(`/api/v1/enrollments/${enrollment.id}/key`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(format === 'pkcs12' ? { format, password } : { format }),
      });
      save(await response.blob(), `${name}.${format === 'pkcs12' ? 'p12' : 'key.pem'}`);
    },
    onSuccess: onClose,
    gcTime: 0,
  });
  return (
    <Modal opened onClose={onClose} title="Fetch the private key, once">
      <form onSubmit={(event) => { event.preventDefault(); fetchKey.mutate(); }}>
        <Stack>
          {fetchKey.error && <ErrorNote error={fetchKey.error} />}
          <p style={{ margin: 0 }}>Handing it out destroys it here. If the file gets lost, revoke the certificate and ask for another.</p>
          <SegmentedControl aria-label="Form" data={[{ value: 'pkcs8', label: 'PEM (PKCS #8)' }, { value: 'pkcs12', label: 'PKCS #12' }]} value={format} onChange={(next) => setFormat(next as Schema<'KeyFormat'>)} />
          {format === 'pkcs12' && <PasswordInput label="Password for the file" required autoComplete="new-password" value={password} onChange={(event) => setPassword(event.currentTarget.value)} />}
          <Button type="submit" loading={fetchKey.isPending} leftSection={<IconDownload size={18} />}>Save the key</Button>
        </Stack>
      </form>
    </Modal>
  );
}
