import { Button } from '@mantine/core';
import { IconMapOff } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Empty, ErrorNote } from '../components/States';

export function NotFound() {
  return (
    <Empty
      icon={<IconMapOff size={24} />}
      title="There is no such page"
      action={
        <Button component={Link} to="/">
          To the overview
        </Button>
      }
    >
      The address may be misspelt, or what it showed is gone.
    </Empty>
  );
}

/** A page that could not be shown: most often a newer version was installed while it was open. */
export function PageFailed({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <div style={{ maxWidth: 640, margin: '64px auto', padding: 16 }}>
      <ErrorNote error={error} retry={reset} />
      <Button mt="md" variant="default" onClick={() => window.location.reload()}>
        Load the page again
      </Button>
    </div>
  );
}
