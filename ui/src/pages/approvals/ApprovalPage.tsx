import { Button, Textarea } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconCheck, IconX } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useFieldLabels } from '../../components/fields';
import { Prose } from '../../components/Prose';
import { Requester, Who } from '../../components/Who';
import { Facts, grid, Page, Panel } from '../../components/Page';
import { ErrorNote, SkeletonRows } from '../../components/States';
import { State, Status } from '../../components/Status';
import { Copy, Name, When } from '../../components/Text';
import { visible } from '../../lib/names';
import { plural } from '../../lib/time';
import { keyKind, type People } from '../../lib/words';
import css from './approvals.module.css';
import { Escalation } from './Escalation';

type Details = Schema<'ApprovalDetails'>;

/** All that is needed to decide, on one screen; the buttons stay under the thumb. */
export function ApprovalPage() {
  const { id = '' } = useParams({ strict: false });
  const query = useQuery({
    queryKey: ['approvals', 'one', id],
    queryFn: () => call(api.GET('/api/v1/approvals/{id}', { params: { path: { id } } })),
  });
  const approval = query.data;
  const first = approval?.identifiers[0]?.value;
  return (
    <Page
      title={first ? visible(first) : 'Approval'}
      heading={first && <Name of={first} />}
      above={{ label: 'Approvals', to: '/approvals' }}
      lead={approval && <><State of={approval.status} /> {approval.status === 'pending' ? <>decide until <When at={approval.deadline_at} full /></> : <When at={approval.updated_at} full />}</>}
    >
      {query.error && <ErrorNote error={query.error} retry={() => void query.refetch()} />}
      {query.isPending && <Panel flush><SkeletonRows rows={10} /></Panel>}
      {approval && <Body approval={approval} />}
      {approval?.status === 'pending' && <Decide key={approval.id} approval={approval} />}
    </Page>
  );
}

function Body({ approval }: { approval: Details }) {
  const label = useFieldLabels();
  return (
    <div className={grid.grid}>
      <Panel title="What is asked for" className={grid.span7}>
        <Facts
          rows={[
            ['Names', approval.identifiers.map(({ value }) => <div key={value}><Name of={value} /></div>)],
            ['Asked for by', <><Requester of={approval.requester} people={approval.people} />{approval.team && <span className="muted"> · team {approval.team}</span>}</>],
            ['Profile', <>{approval.profile} <span className="muted">version {approval.profile_version}</span></>],
            ['Why it waits', approval.reasons.join('; ')],
            ['Key', approval.key_kind && keyKind(approval.key_kind)],
            ['Key hash', approval.spki_sha256 && <Copy text={approval.spki_sha256} shown={`${approval.spki_sha256.slice(0, 24)}…`} />],
            ['Asked', <When at={approval.created_at} full />],
            ['Request', <Link to="/requests/$id" params={{ id: approval.enrollment }}>Its way so far</Link>],
            ...Object.entries(approval.metadata ?? {}).map(([name, value]) => [label(name), visible(String(value))] as [string, string]),
          ]}
        />
      </Panel>
      <div className={`${grid.span5} ${css.stack}`}>
        <Panel title="What the rules say"><Policy policy={approval.policy} /></Panel>
        <Panel title="Against the last certificate"><Last last={approval.last_certificate} /></Panel>
        <Panel title="Who decides, and what comes next"><Escalation approval={approval} /></Panel>
      </div>
      {(approval.decisions?.length ?? 0) > 0 && <Panel title="Decisions so far"><Decisions decisions={approval.decisions ?? []} people={approval.people} /></Panel>}
    </div>
  );
}

function Policy({ policy }: { policy: Details['policy'] }) {
  if (policy.outcome === 'allowed') {
    return (
      <>
        <Status tone="ok">Everything the profile asks for is met</Status>
        <p className="muted" style={{ margin: '8px 0 0' }}>{policy.issuer} would sign it, until <When at={policy.not_after} full /></p>
      </>
    );
  }
  if (policy.outcome === 'unknown') return <><Status tone="warn">Cannot be judged</Status><p className="wrap">{policy.reason}</p></>;
  return (
    <>
      <Status tone="bad">Would be rejected</Status>
      <ul>{policy.violations.map((violation, index) => <li key={index} className="wrap">{violation.message}{violation.fix && <span className="muted"> {violation.fix}</span>}</li>)}</ul>
    </>
  );
}

function Last({ last }: { last: Details['last_certificate'] }) {
  if (!last) return <Status tone="info">None yet for exactly these names</Status>;
  return (
    <>
      <p style={{ margin: '0 0 8px' }}><Link to="/certificates/$id" params={{ id: last.id }}>The last one</Link> ends <When at={last.not_after} full /></p>
      {last.differences.length === 0 ? (
        <Status tone="ok">Nothing differs</Status>
      ) : (
        <table className={css.diff}>
          <thead><tr><th>What</th><th>Before</th><th>Now</th></tr></thead>
          <tbody>
            {last.differences.map((difference) => (
              <tr key={difference.what}><th scope="row">{difference.what}</th><td><del>{visible(difference.before)}</del></td><td><ins>{visible(difference.now)}</ins></td></tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function Decisions({ decisions, people }: { decisions: readonly Schema<'Decision'>[]; people: People }) {
  return (
    <ul className={css.decisions}>
      {decisions.map((decision, index) => (
        <li key={index}>
          <State of={(decision.verdict as string) === 'approve' ? 'approved' : 'denied'} />{' '}
          <strong><Who id={decision.by} people={people} /></strong>{decision.on_behalf_of && <> for <Who id={decision.on_behalf_of} people={people} /></>} <span className="muted"><When at={decision.at} full />{decision.is_void && ' · void: the request changed'}</span>
          {decision.reason && <p className="wrap" style={{ margin: '4px 0 0' }}>{visible(decision.reason)}</p>}
        </li>
      ))}
    </ul>
  );
}

function Decide({ approval }: { approval: Details }) {
  const [reason, setReason] = useState('');
  const [wantsReason, setWantsReason] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const path = { path: { id: approval.id } };
  const approve = useMutation({ mutationFn: () => call(api.POST('/api/v1/approvals/{id}/approve', { params: path, body: { reason: reason || undefined } })) });
  const deny = useMutation({ mutationFn: () => call(api.POST('/api/v1/approvals/{id}/deny', { params: path, body: { reason } })) });
  const tryDeny = () => {
    if (reason.trim()) return deny.mutate();
    setWantsReason(true);
    field.current?.focus();
  };
  useHotkeys([['mod+Enter', () => approval.your_turn && approve.mutate()]], []);
  if (!approval.your_turn) {
    return <div className={css.decide}><p style={{ margin: 0 }} className="muted">You cannot decide on this: <Prose text={approval.why_not ?? 'it is not your turn'} />.</p></div>;
  }
  const error = approve.error ?? deny.error;
  return (
    <div className={css.decide} role="region" aria-label="Your decision">
      {error && <ErrorNote error={error} />}
      <Textarea
        ref={field}
        aria-label="Reason"
        placeholder="Reason: needed to deny, whoever asked is shown it"
        autosize
        minRows={1}
        maxRows={4}
        maxLength={1000}
        error={wantsReason && !reason.trim() ? 'Say why, so that whoever asked knows what to change.' : undefined}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <div className={css.buttons}>
        <Button size="md" variant="light" color="red" leftSection={<IconX size={18} />} loading={deny.isPending} onClick={tryDeny}>Deny</Button>
        <Button size="md" leftSection={<IconCheck size={18} />} loading={approve.isPending} onClick={() => approve.mutate()}>
          Approve{approval.missing > 1 && ` (${plural(approval.missing, 'approval')} missing)`}
        </Button>
      </div>
    </div>
  );
}
