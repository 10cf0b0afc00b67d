import { Button, Menu, TextInput } from '@mantine/core';
import { IconDownload, IconListDetails, IconShieldCheck } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { api, call, raw } from '../../api/client';
import { Panel } from '../../components/Page';
import { Empty, ErrorNote } from '../../components/States';
import { Status } from '../../components/Status';
import { PagedTable } from '../../components/Table';
import { When } from '../../components/Text';
import { Who } from '../../components/Who';
import { verifyLog } from '../../lib/audit';
import { visible } from '../../lib/names';
import { useAddress } from '../../lib/search';
import { eventTitle, pageOf } from '../../lib/words';
import { Details } from '../certificates/History';
import css from './administration.module.css';

/** What happened, by whom, from where; and whether the log is whole. */
export function Audit() {
  const [search, change] = useAddress();
  const [draft, setDraft] = useState({ name: search.name ?? '', object: search.object ?? '', actor: search.actor ?? '' });
  const verify = useMutation({
    mutationFn: async () => {
      const [log, key] = await Promise.all([(await raw('/api/v1/audit/export?format=jsonl')).text(), call(api.GET('/api/v1/audit/key'))]);
      return verifyLog(log, key.public_key);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change({ name: draft.name || undefined, object: draft.object || undefined, actor: draft.actor || undefined }, true);
  };
  const filter = { name: search.name, object: search.object, actor: search.actor };
  return (
    <Panel
      title="Audit log"
      flush
      note={
        <div style={{ display: 'flex', gap: 8 }}>
          <Button size="xs" variant="default" leftSection={<IconShieldCheck size={16} />} loading={verify.isPending} onClick={() => verify.mutate()}>Verify the chain</Button>
          <Menu position="bottom-end">
            <Menu.Target><Button size="xs" variant="default" leftSection={<IconDownload size={16} />}>Export</Button></Menu.Target>
            <Menu.Dropdown>
              {['jsonl', 'cef', 'ocsf'].map((format) => <Menu.Item key={format} component="a" href={`/api/v1/audit/export?format=${format}`} download>{format.toUpperCase()}</Menu.Item>)}
            </Menu.Dropdown>
          </Menu>
        </div>
      }
    >
      {verify.error && <div style={{ padding: 16 }}><ErrorNote error={verify.error} /></div>}
      {verify.data && (
        <div style={{ padding: '12px 16px' }} role="status">
          <Status tone={verify.data.fault ? 'bad' : 'ok'}>{verify.data.fault ? 'The log was changed' : 'The log is whole'}</Status>{' '}
          <span className="muted wrap">{verify.data.fault ?? `${verify.data.events.toLocaleString('en')} events follow each other without a gap, signed at ${verify.data.checkpoints} points. Keep the head: ${verify.data.head.slice(0, 16)}…`}</span>
        </div>
      )}
      <form onSubmit={submit} className={css.filters}>
        <TextInput label="Event, or how it begins" placeholder="certificate." value={draft.name} onChange={(event) => setDraft({ ...draft, name: event.currentTarget.value })} />
        <TextInput label="On what, by its id" placeholder="crt_…" value={draft.object} onChange={(event) => setDraft({ ...draft, object: event.currentTarget.value })} />
        <TextInput label="By whom, by their id" placeholder="usr_…" value={draft.actor} onChange={(event) => setDraft({ ...draft, actor: event.currentTarget.value })} />
        <Button type="submit" variant="default">Filter</Button>
      </form>
      <PagedTable
        label="Events"
        queryKey={['audit', 'list', filter]}
        read={(after) => call(api.GET('/api/v1/audit', { params: { query: { ...filter, limit: 50, after } } }))}
        id={(event) => event.id}
        empty={<Empty icon={<IconListDetails size={24} />} title="No event fits">Take a filter away. Names are beginnings: <code>certificate.</code></Empty>}
        columns={[
          { name: 'What', cell: (event) => <><strong>{eventTitle(event.name)}</strong><div className="muted mono" style={{ fontSize: 12 }}>{event.name}</div></> },
          { name: 'On', cell: (event) => { const page = pageOf(event.object); return page ? <Link to={page} className="mono wrap">{visible(event.object)}</Link> : <Who id={event.object} />; } },
          { name: 'Who', cell: (event) => <span className="wrap"><Who id={event.actor.id} /><div className="muted">{event.actor.address ?? event.actor.kind}</div></span> },
          { name: 'Details', cell: (event) => <Details data={event.data as Record<string, unknown>} />, wide: true },
          { name: 'When', cell: (event) => <When at={event.at} /> },
        ]}
      />
    </Panel>
  );
}
