import { Button, Group, Stack } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call, callTagged } from '../../api/client';
import { useMay } from '../../api/session';
import { useFieldLabels } from '../../components/fields';
import { MetadataForm, type Values } from '../../components/MetadataForm';
import { Facts, Panel } from '../../components/Page';
import { ErrorNote, Loaded } from '../../components/States';
import { visible } from '../../lib/names';

/** The values of custom fields; changed only if nobody else changed them meanwhile. */
export function MetadataPanel({ id, className }: { id: string; className?: string }) {
  const may = useMay();
  const label = useFieldLabels();
  const [draft, setDraft] = useState<Values | null>(null);
  const query = useQuery({
    queryKey: ['certificates', 'metadata', id],
    queryFn: () => callTagged(api.GET('/api/v1/certificates/{id}/metadata', { params: { path: { id } } })),
  });
  const before = (query.data?.value.metadata ?? {}) as Values;
  const save = useMutation({
    mutationFn: (values: Values) => {
      const change: Record<string, string | null> = {};
      for (const name of new Set([...Object.keys(before), ...Object.keys(values)])) {
        const now = values[name] || null;
        if (now !== (before[name] ?? null)) change[name] = now;
      }
      return call(
        api.PATCH('/api/v1/certificates/{id}/metadata', {
          params: { path: { id }, header: { 'If-Match': query.data?.etag } },
          body: { metadata: change as never },
        }),
      );
    },
    onSuccess: () => setDraft(null),
  });
  return (
    <Panel
      title="Metadata"
      className={className}
      note={may('certificates:edit') && !draft && <Button size="compact-sm" variant="subtle" leftSection={<IconPencil size={14} />} onClick={() => setDraft(before)}>Edit</Button>}
    >
      {save.error && <ErrorNote error={save.error} />}
      {draft ? (
        <Stack>
          <MetadataForm values={draft} onChange={setDraft} all />
          <Group>
            <Button loading={save.isPending} onClick={() => save.mutate(draft)}>Save</Button>
            <Button variant="default" onClick={() => setDraft(null)}>Cancel</Button>
          </Group>
        </Stack>
      ) : (
        <Loaded query={query} rows={2}>
          {() =>
            Object.keys(before).length ? (
              <Facts rows={Object.entries(before).map(([name, value]) => [label(name), visible(String(value))])} />
            ) : (
              <p className="muted" style={{ margin: 0 }}>No values. Fields are defined under Policy; requests, accounts and directories can bring them along.</p>
            )
          }
        </Loaded>
      )}
    </Panel>
  );
}
