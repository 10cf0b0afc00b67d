import { Button, Checkbox, Modal, SegmentedControl, Stack, Textarea } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconBeach, IconChecklist } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useRef, useState, type KeyboardEvent } from 'react';
import { api, call, type Schema } from '../../api/client';
import { useMay } from '../../api/session';
import { Page, Panel } from '../../components/Page';
import { Empty, ErrorNote, Loaded } from '../../components/States';
import { State } from '../../components/Status';
import { ShowMore } from '../../components/Table';
import { Requester } from '../../components/Who';
import { Names, When } from '../../components/Text';
import { visible } from '../../lib/names';
import { useAddress } from '../../lib/search';
import { plural } from '../../lib/time';
import { approver } from '../../lib/words';
import css from './approvals.module.css';

type Approval = Schema<'Approval'>;

const VIEWS = [
  { value: 'mine', label: 'Waits for me' },
  { value: 'pending', label: 'All that wait' },
  { value: 'decided', label: 'Decided' },
];

/** What the view lists; the server puts it in order, so that nothing urgent is behind the first page. */
function queryOf(view: string) {
  if (view === 'mine') return { mine: true, sort: 'deadline' as const };
  return view === 'pending' ? { status: 'pending' as const, sort: 'deadline' as const } : { decided: true, sort: 'changed' as const };
}

/** What waits for people, the next to end first. */
export function Queue() {
  const may = useMay();
  const [search, change] = useAddress();
  const view = search.view ?? 'mine';
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [decision, setDecision] = useState<{ verdict: Verdict; ids: string[] } | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const query = useInfiniteQuery({
    queryKey: ['approvals', 'queue', view],
    queryFn: ({ pageParam }) => call(api.GET('/api/v1/approvals', { params: { query: { ...queryOf(view), limit: 100, after: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    select: ({ pages }) => pages.flatMap(({ items }) => items),
  });
  const toggle = (id: string) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const canDecide = may('approvals:decide') && view !== 'decided';
  const move = (step: number) => {
    const rows = [...(list.current?.querySelectorAll<HTMLAnchorElement>('li > a') ?? [])];
    const at = rows.findIndex((row) => row.closest('li')?.contains(document.activeElement));
    rows[at < 0 ? 0 : Math.min(Math.max(at + step, 0), rows.length - 1)]?.focus();
  };
  useHotkeys([['j', () => move(1)], ['k', () => move(-1)]]);
  // What decides is heard in a row alone: nothing happens to somebody who only types (WCAG 2.1.4).
  const onKey = (event: KeyboardEvent) => {
    const id = (event.target as HTMLElement).closest<HTMLElement>('li[data-id]')?.dataset.id;
    if (!id || !canDecide || event.ctrlKey || event.metaKey || event.altKey) return;
    const ids = chosen.size > 0 ? [...chosen] : [id];
    if (event.key === 'x') toggle(id);
    else if (event.key === 'a') setDecision({ verdict: APPROVE, ids });
    else if (event.key === 'd') setDecision({ verdict: DENY, ids });
    else return;
    event.preventDefault();
  };
  return (
    <Page title="Approvals" lead="Requests that go on once enough people agree." actions={<Button component={Link} to="/approvals/absences" variant="default" leftSection={<IconBeach size={18} />}>Absences</Button>}>
      <SegmentedControl aria-label="Which" data={VIEWS} value={view} onChange={(next) => { setChosen(new Set()); change({ view: next }); }} style={{ alignSelf: 'flex-start' }} />
      <Panel flush>
        <Loaded query={query} rows={6}>
          {(items) =>
            items.length === 0 ? (
              <Empty icon={<IconChecklist size={24} />} title={view === 'mine' ? 'Nothing waits for you' : 'Nothing here'}>
                {view === 'mine' ? 'When a profile asks for your consent, the request shows here, and in your mailbox if notifications are set up.' : 'A profile with an approval rule sends its requests here: see Policy.'}
              </Empty>
            ) : (
              <>
                <ul ref={list} className={css.list} onKeyDown={onKey}>
                  {items.map((approval) => (
                    <Row key={approval.id} approval={approval} chosen={chosen.has(approval.id)} onToggle={canDecide && approval.status === 'pending' ? () => toggle(approval.id) : undefined} />
                  ))}
                </ul>
                <ShowMore query={query} />
              </>
            )
          }
        </Loaded>
      </Panel>
      {canDecide && Boolean(query.data?.length) && (
        <p className={css.keys}><kbd>j</kbd> <kbd>k</kbd> next and one before, <kbd>x</kbd> choose, <kbd>a</kbd> approve, <kbd>d</kbd> deny, <kbd>Enter</kbd> all about it</p>
      )}
      {chosen.size > 0 && (
        <div className={css.bar} role="region" aria-label="Decide on many">
          <strong>{plural(chosen.size, 'request')} chosen</strong>
          <Button onClick={() => setDecision({ verdict: APPROVE, ids: [...chosen] })}>Approve</Button>
          <Button variant="light" color="red" onClick={() => setDecision({ verdict: DENY, ids: [...chosen] })}>Deny</Button>
        </div>
      )}
      {decision && <DecideMany {...decision} names={(query.data ?? []).filter(({ id }) => decision.ids.includes(id)).map(({ identifiers }) => identifiers[0]?.value ?? '')} onClose={() => { setDecision(null); setChosen(new Set()); }} />}
    </Page>
  );
}

type Verdict = Schema<'DecideMany'>['verdict'];

const APPROVE = 'approve' as Verdict;
const DENY = 'deny' as Verdict;

function Row({ approval, chosen, onToggle }: { approval: Approval; chosen: boolean; onToggle?: () => void }) {
  const names = approval.identifiers.map(({ value }) => value);
  return (
    <li className={css.item} data-id={approval.id}>
      <span className={css.check}>{onToggle && <Checkbox size="sm" checked={chosen} onChange={onToggle} aria-label={`Choose ${visible(names[0] ?? approval.id)}`} />}</span>
      <Link to="/approvals/$id" params={{ id: approval.id }} className={css.link}>
        <span className={css.names}><Names of={names} /></span>
        <span className={css.meta}>
          <Requester of={approval.requester} people={approval.people} /> · {approval.profile}{approval.team && <> · {approval.team}</>}
        </span>
        <span className={css.meta}>{approval.reasons.join(' · ')}</span>
      </Link>
      <span className={css.right}>
        {approval.status === 'pending' ? (
          <>
            <span className={css.missing}>{plural(approval.missing, 'approval')} missing</span>
            <span className="muted">ends <When at={approval.deadline_at} /></span>
            <span className={`${css.meta} clip`}>{approval.waits_for.map((each) => approver(each, approval.people)).join(', ')}</span>
          </>
        ) : (
          <>
            <State of={approval.status} />
            <span className="muted"><When at={approval.updated_at} /></span>
          </>
        )}
      </span>
    </li>
  );
}

function DecideMany({ ids, names, verdict, onClose }: { ids: string[]; names: string[]; verdict: Verdict; onClose: () => void }) {
  // They leave the list once they are decided on, and are still what this is about.
  const [about] = useState(names);
  const [reason, setReason] = useState('');
  const denies = verdict === DENY;
  const act = useMutation({ mutationFn: () => call(api.POST('/api/v1/approvals/decide', { body: { approvals: ids, verdict, reason: reason || undefined } })) });
  const failed = act.data?.results.filter(({ error }) => error) ?? [];
  return (
    <Modal opened onClose={onClose} title={`${denies ? 'Deny' : 'Approve'} ${plural(ids.length, 'request')}`}>
      <Stack>
        {act.error && <ErrorNote error={act.error} />}
        {act.data ? (
          <>
            <p style={{ margin: 0 }}>{plural(act.data.results.length - failed.length, 'decision')} taken.</p>
            {failed.map((one) => <ErrorNote key={one.approval} error={new Error(`${one.approval}: ${one.error ?? ''}`)} />)}
            <Button onClick={onClose}>Done</Button>
          </>
        ) : (
          <>
            <p className="wrap" style={{ margin: 0 }}>{about.slice(0, 12).map(visible).join(', ')}{about.length > 12 && ` and ${about.length - 12} more`}</p>
            <Textarea label={denies ? 'Reason (whoever asked is shown it)' : 'Reason (optional)'} required={denies} data-autofocus autosize minRows={2} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
            <Button color={denies ? 'red' : undefined} disabled={denies && !reason.trim()} loading={act.isPending} onClick={() => act.mutate()}>
              {denies ? 'Deny' : 'Approve'}
            </Button>
          </>
        )}
      </Stack>
    </Modal>
  );
}
