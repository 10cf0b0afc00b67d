import '@mantine/core/styles.css';
import './styles/tokens.css';
import './styles/base.css';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { MutationCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { ApiError } from './api/client';
import { router } from './router';
import { theme } from './theme';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
// What locks scrolling under a dialog makes a style sheet of its own.
(globalThis as { __webpack_nonce__?: string }).__webpack_nonce__ = nonce;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchInterval: 60_000,
      retry: (failures, error) => failures < 2 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
  mutationCache: new MutationCache({ onSuccess: () => void queries.invalidateQueries() }),
});

const scheme = localStorageColorSchemeManager({ key: 'certwright-color-scheme' });
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no element #root');
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} defaultColorScheme="auto" colorSchemeManager={scheme} getStyleNonce={() => nonce}>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router(queries)} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
