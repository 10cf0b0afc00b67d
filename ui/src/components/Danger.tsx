import { Button, Group, Popover, Stack, type ButtonProps } from '@mantine/core';
import { useState } from 'react';
import { visible } from '../lib/names';

interface DangerProps extends ButtonProps {
  /** What is done, in a word: `Delete`. */
  label: string;
  /** To what, for those who do not see where the button stands. */
  of?: string;
  /** What follows from it. */
  consequence: string;
  onConfirm: () => void;
}

/** A button for what nobody takes back: it says what follows, and asks once more where it stands. */
export function Danger({ label, of, consequence, onConfirm, ...button }: DangerProps) {
  const [asking, setAsking] = useState(false);
  return (
    <Popover opened={asking} onChange={setAsking} trapFocus returnFocus withArrow shadow="md" position="bottom-end" width={280}>
      <Popover.Target>
        <Button size="compact-xs" variant="light" color="red" aria-label={of && `${label} ${visible(of)}`} {...button} onClick={() => setAsking(!asking)}>
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="sm" ta="left" style={{ whiteSpace: 'normal' }}>
          <div>
            <strong className="wrap">{label}{of && ` ${visible(of)}`}?</strong>
            <div className="muted">{consequence}</div>
          </div>
          <Group gap="xs">
            <Button size="xs" color="red" onClick={() => { setAsking(false); onConfirm(); }}>Yes, {label.toLowerCase()}</Button>
            <Button size="xs" variant="default" onClick={() => setAsking(false)}>No</Button>
          </Group>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
