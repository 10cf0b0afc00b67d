import { Button, Modal, Stack, TextInput } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { api, call } from '../../api/client';
import { QrCode } from '../../components/QrCode';
import { ErrorNote, Skeleton } from '../../components/States';
import { Code } from '../../components/Text';

/** A secret goes from the screen into an authenticator; the first code shows that it arrived. */
export function Authenticator({ onClose, onCodes }: { onClose: () => void; onCodes: (codes: readonly string[]) => void }) {
  const [code, setCode] = useState('');
  const begin = useQuery({ queryKey: ['totp'], queryFn: () => call(api.POST('/api/v1/session/totp')), staleTime: 'static', gcTime: 0, refetchInterval: false, retry: false });
  const confirm = useMutation({
    mutationFn: () => call(api.POST('/api/v1/session/totp/confirm', { body: { code } })),
    onSuccess: ({ codes }) => { onCodes(codes); onClose(); },
    gcTime: 0,
  });
  return (
    <Modal opened onClose={onClose} title="Set up an authenticator">
      <form onSubmit={(event) => { event.preventDefault(); confirm.mutate(); }}>
        <Stack>
          {(begin.error ?? confirm.error) && <ErrorNote error={begin.error ?? confirm.error} />}
          <p style={{ margin: 0 }}>Scan this with your authenticator, or type the secret there. Then type the code that it shows.</p>
          {begin.data ? <QrCode text={begin.data.url} label="The secret as a QR code" /> : !begin.error && <Skeleton height={208} />}
          {begin.data && <Code text={begin.data.secret} label="the secret" />}
          {begin.data && <a href={begin.data.url}>Open it in an authenticator on this device</a>}
          <TextInput label="Code" inputMode="numeric" autoComplete="one-time-code" required value={code} onChange={(event) => setCode(event.currentTarget.value)} />
          <Button type="submit" loading={confirm.isPending}>Take it into use</Button>
        </Stack>
      </form>
    </Modal>
  );
}
