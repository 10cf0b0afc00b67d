import { Button, Checkbox, JsonInput, Modal, PasswordInput, Select, Stack, Textarea, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, type Schema } from '../../api/client';
import { ErrorNote } from '../../components/States';
import { Code } from '../../components/Text';

type Template = Schema<'Template'>;

/** A channel: how it is reached, its secrets, and the words it uses. */
export function ChannelDialog({ channel, onClose }: { channel: Schema<'Channel'> | null; onClose: () => void }) {
  const { data } = useQuery({ queryKey: ['notifications', 'kinds'], queryFn: () => call(api.GET('/api/v1/notification-kinds')) });
  const [name, setName] = useState(channel?.name ?? '');
  const [kind, setKind] = useState<string | null>(channel?.rules.kind ?? null);
  const [settings, setSettings] = useState(JSON.stringify(channel?.rules.settings ?? {}, null, 2));
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const [template, setTemplate] = useState<Template>(channel?.rules.template ?? {});
  const [enabled, setEnabled] = useState(channel?.rules.enabled !== false);
  const chosen = data?.items.find((each) => each.name === kind);
  const save = useMutation({
    mutationFn: () => call(api.PUT('/api/v1/notification-channels/{name}', { params: { path: { name } }, body: { ...(channel?.rules.stream ? { stream: channel.rules.stream } : {}), kind: kind ?? '', enabled, template, settings: { ...(JSON.parse(settings) as object), ...secrets } as never } })),
    onSuccess: onClose,
    gcTime: 0,
  });
  return (
    <Modal opened onClose={onClose} title={channel ? `Channel ${channel.name}` : 'New channel'} size="lg">
      <form onSubmit={(event) => { event.preventDefault(); save.mutate(); }}>
        <Stack>
          {save.error && <ErrorNote error={save.error} />}
          {!channel && <TextInput label="Name" required data-autofocus value={name} onChange={(event) => setName(event.currentTarget.value)} />}
          {!channel && <Select label="Kind" required data={(data?.items ?? []).map((each) => ({ value: each.name, label: `${each.name}: ${each.summary}` }))} value={kind} onChange={setKind} />}
          <JsonInput label="Settings" description="What is missing, saving tells" autosize minRows={4} maxRows={14} formatOnBlur classNames={{ input: 'mono' }} value={settings} onChange={setSettings} />
          {chosen?.secrets.map((secret) => <PasswordInput key={secret} label={secret} placeholder={channel?.secrets.includes(secret) ? 'Stays as it is' : undefined} autoComplete="off" value={secrets[secret] ?? ''} onChange={(event) => { const text = event.currentTarget.value; setSecrets((now) => ({ ...now, [secret]: text })); }} />)}
          {chosen && <Words kind={chosen} template={template} onChange={setTemplate} />}
          <Checkbox label="In use" checked={enabled} onChange={(event) => setEnabled(event.currentTarget.checked)} />
          <Button type="submit" loading={save.isPending}>Save</Button>
        </Stack>
      </form>
    </Modal>
  );
}

const PARTS = ['subject', 'text', 'html'] as const;

/** The channel's own words in place of the kind's, with what they make of an event. */
function Words({ kind, template, onChange }: { kind: Schema<'ChannelKind'>; template: Template; onChange: (template: Template) => void }) {
  const preview = useMutation({ mutationFn: () => call(api.POST('/api/v1/notification-templates/preview', { body: { kind: kind.name, template } })) });
  return (
    <details>
      <summary>The words of its messages</summary>
      <Stack mt="sm">
        {PARTS.filter((part) => kind.template[part] != null || template[part] != null).map((part) => (
          <Textarea key={part} label={part.replace(/^./, (first) => first.toUpperCase())} placeholder={kind.template[part] ?? undefined} description="Empty: as the kind has it" autosize minRows={part === 'subject' ? 1 : 3} maxRows={12} classNames={{ input: 'mono' }} value={template[part] ?? ''} onChange={(event) => onChange({ ...template, [part]: event.currentTarget.value || null })} />
        ))}
        <Button variant="default" style={{ alignSelf: 'flex-start' }} loading={preview.isPending} onClick={() => preview.mutate()}>Show what they make</Button>
        {preview.error && <ErrorNote error={preview.error} />}
        {preview.data && <Code label="the message" text={[preview.data.subject, preview.data.text ?? preview.data.html].filter(Boolean).join('\n\n')} />}
      </Stack>
    </details>
  );
}
