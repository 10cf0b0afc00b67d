import { Button, Modal, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import { Code } from './Text';

interface SecretProps {
  title: string;
  lead: ReactNode;
  parts: { label: string; text: string }[];
  onClose: () => void;
}

/** What is shown this once. It is kept nowhere: closing forgets it. */
export function Secret({ title, lead, parts, onClose }: SecretProps) {
  return (
    <Modal opened onClose={onClose} title={title} size="lg" closeOnClickOutside={false}>
      <Stack>
        <p style={{ margin: 0 }}>{lead}</p>
        {parts.map(({ label, text }) => (
          <div key={label}>
            <div className="muted" style={{ marginBottom: 4 }}>{label}</div>
            <Code text={text} label={label} />
          </div>
        ))}
        <Button onClick={onClose}>I have it</Button>
      </Stack>
    </Modal>
  );
}
