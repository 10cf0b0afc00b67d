import { ActionIcon, Drawer, UnstyledButton } from '@mantine/core';
import { useDisclosure, useHotkeys } from '@mantine/hooks';
import { IconMenu2, IconSearch } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Outlet, useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { onAuthentication } from '../api/client';
import { follow } from '../api/live';
import { sessionQuery } from '../api/session';
import { Brand } from './Brand';
import { LiveMark } from './LiveMark';
import { Navigation, ThumbBar } from './Navigation';
import css from './shell.module.css';
import { StepUp } from './StepUp';
import { UserMenu } from './UserMenu';

const loadPalette = () => import('./Palette');
const Palette = lazy(loadPalette);

/** What surrounds every page once somebody is signed in. */
export function Shell() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { data: session } = useQuery(sessionQuery);
  const [menuOpen, menu] = useDisclosure(false);
  const [paletteOpen, palette] = useDisclosure(false);
  const [proof, setProof] = useState<((done: boolean) => void) | null>(null);

  useEffect(() => {
    onAuthentication({
      signedOut: () => {
        queries.clear();
        const then = window.location.pathname + window.location.search;
        void navigate({ to: '/sign-in', search: { then } });
      },
      prove: () => new Promise((settle) => setProof(() => settle)),
    });
  }, [navigate, queries]);
  useEffect(() => (session ? follow(queries) : undefined), [queries, session?.id]); // eslint-disable-line react-hooks/exhaustive-deps
  useEffect(() => {
    // There before the first Ctrl-K, so that no letter typed after it is lost.
    const timer = window.setTimeout(() => void loadPalette(), 1_500);
    return () => window.clearTimeout(timer);
  }, []);
  useHotkeys([['mod+K', palette.open]], []);

  return (
    <div className={css.shell}>
      <a className={css.skip} href="#content">
        Skip to the content
      </a>
      <aside className={css.side}>
        <Brand />
        <Navigation />
        <div className={css.sideFoot}>
          <LiveMark />
        </div>
      </aside>
      <div className={css.main}>
        <div className={css.top}>
          <ActionIcon className={css.burger} variant="subtle" color="gray" size={40} aria-label="Menu" onClick={menu.open}>
            <IconMenu2 size={20} />
          </ActionIcon>
          <UnstyledButton className={css.find} onClick={palette.open} aria-keyshortcuts="Control+K">
            <IconSearch size={16} aria-hidden />
            <span>Search or jump to…</span>
            <kbd className={css.kbd}>Ctrl K</kbd>
          </UnstyledButton>
          <UserMenu />
        </div>
        <main id="content" tabIndex={-1} className={css.content}>
          <Outlet />
        </main>
      </div>
      <ThumbBar />
      <Drawer opened={menuOpen} onClose={menu.close} size={272} title={<Brand />} padding="md">
        <Navigation onGo={menu.close} />
        <div style={{ padding: 12 }}>
          <LiveMark />
        </div>
      </Drawer>
      <Suspense fallback={null}>{paletteOpen && <Palette onClose={palette.close} />}</Suspense>
      {proof && (
        <StepUp
          onDone={(proved) => {
            proof(proved);
            setProof(null);
          }}
        />
      )}
    </div>
  );
}
