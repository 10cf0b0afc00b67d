import { Button, Modal, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';
import { api, call } from '../api/client';
import { ErrorNote } from '../components/States';

/** What is dangerous asks once more who one is; then it goes on. */
export function StepUp({ onDone }: { onDone: (proved: boolean) => void }) {
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await call(api.POST('/api/v1/session/reauthenticate', { body: { password, code: code || undefined } }));
      onDone(true);
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={() => onDone(false)} title="Is it still you?">
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <p className="muted" style={{ margin: 0 }}>
            This can do harm, so it asks for your password again. What you were doing goes on afterwards.
          </p>
          {error !== undefined && <ErrorNote error={error} />}
          <PasswordInput label="Password" autoComplete="current-password" required data-autofocus value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
          <TextInput label="Code" description="From your authenticator, if you have one" inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(event) => setCode(event.currentTarget.value)} />
          <Button type="submit" loading={busy}>
            Go on
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
