import { Button, Divider, PasswordInput, Stack, TextInput } from '@mantine/core';
import { IconFingerprint, IconLogin2 } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState, type FormEvent } from 'react';
import { ApiError, api, call, setCsrfToken } from '../../api/client';
import { sessionQuery, type Session } from '../../api/session';
import { ErrorNote } from '../../components/States';
import { useAddress } from '../../lib/search';
import { getPasskey } from '../../lib/webauthn';
import css from './sign-in.module.css';

/** Only pages of this dashboard are gone to after signing in. */
function destination(then: string | undefined): string {
  return then?.startsWith('/') && !then.startsWith('//') && !then.startsWith('/sign-in') ? then : '/';
}

export function SignIn() {
  const [{ then, error: fault }] = useAddress();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [needsCode, setNeedsCode] = useState(false);
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    document.title = 'Sign in · Certwright';
  }, []);

  const attempt = async (signIn: () => Promise<Session>) => {
    setBusy(true);
    setError(undefined);
    try {
      const session = await signIn();
      setCsrfToken(session.csrf_token);
      queries.clear();
      queries.setQueryData(sessionQuery.queryKey, session);
      await navigate({ href: destination(then) });
    } catch (failure) {
      if (failure instanceof ApiError && failure.kind === 'second-factor-needed') setNeedsCode(true);
      else if (!(failure instanceof DOMException && failure.name === 'NotAllowedError')) setError(failure);
    }
    setBusy(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void attempt(() => call(api.POST('/api/v1/session', { body: { name, password, code: code || undefined } })));
  };
  const passkey = () =>
    void attempt(async () => {
      const { ticket, options } = await call(api.POST('/api/v1/session/passkey/challenge'));
      const credential = await getPasskey(options);
      return call(api.POST('/api/v1/session/passkey', { body: { ticket, credential: credential as never } }));
    });

  return (
    <main className={css.page}>
      <div className={css.card}>
        <img src="/icon.svg" width={44} height={44} alt="" />
        <h1 className={css.title}>Sign in to Certwright</h1>
        <p className={css.lead}>Every certificate, where it came from and when it ends.</p>
        {fault && <ErrorNote error={new Error(fault)} />}
        {error !== undefined && <ErrorNote error={error} />}
        <form onSubmit={submit}>
          <Stack gap="sm">
            <TextInput label="User name" autoComplete="username webauthn" autoCapitalize="none" required autoFocus size="md" value={name} onChange={(event) => setName(event.currentTarget.value)} />
            <PasswordInput label="Password" autoComplete="current-password" required size="md" value={password} onChange={(event) => setPassword(event.currentTarget.value)} />
            {needsCode && (
              <TextInput
                label="Code"
                description="Six digits from your authenticator, or a recovery code"
                autoComplete="one-time-code"
                inputMode="numeric"
                required
                autoFocus
                size="md"
                value={code}
                onChange={(event) => setCode(event.currentTarget.value)}
              />
            )}
            <Button type="submit" size="md" loading={busy} mt={4}>
              Sign in
            </Button>
          </Stack>
        </form>
        <Divider label="or" my={4} />
        <Stack gap="xs">
          <Button variant="default" size="md" leftSection={<IconFingerprint size={18} />} onClick={passkey} disabled={busy}>
            Use a passkey
          </Button>
          <Providers then={destination(then)} />
        </Stack>
        <p className={css.foot}>
          No account yet? Whoever runs this server gives you a link: <code>certwright user invite</code>
        </p>
      </div>
    </main>
  );
}

function Providers({ then }: { then: string }) {
  const { data } = useQuery({
    queryKey: ['sign-on'],
    queryFn: () => call(api.GET('/api/v1/session/sign-on')),
  });
  return (data?.items ?? []).map((choice) => (
    <Button
      key={choice.name}
      component="a"
      href={`/api/v1/session/sign-on/${encodeURIComponent(choice.name)}?return_to=${encodeURIComponent(then)}`}
      variant="default"
      size="md"
      leftSection={<IconLogin2 size={18} />}
    >
      {choice.title}
    </Button>
  ));
}
