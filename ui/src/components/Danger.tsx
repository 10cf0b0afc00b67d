import { Button, Group, Modal, Popover, Stack, type ButtonProps } from '@mantine/core';
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
          <Answers label={label} onConfirm={onConfirm} onClose={() => setAsking(false)} />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}

type QuestionProps = Pick<DangerProps, 'label' | 'of' | 'consequence' | 'onConfirm'> & { onClose: () => void };

/** The same question in a dialog, where the button is gone by then: it stood in a menu. */
export function ConfirmDanger({ label, of, consequence, onConfirm, onClose }: QuestionProps) {
  return (
    <Modal opened onClose={onClose} title={`${label}${of ? ` ${visible(of)}` : ''}?`}>
      <Stack>
        <p className="wrap" style={{ margin: 0 }}>{consequence}</p>
        <Answers label={label} onConfirm={onConfirm} onClose={onClose} />
      </Stack>
    </Modal>
  );
}

function Answers({ label, onConfirm, onClose }: Pick<QuestionProps, 'label' | 'onConfirm' | 'onClose'>) {
  return (
    <Group gap="xs">
      <Button size="xs" color="red" onClick={() => { onClose(); onConfirm(); }}>Yes, {label.charAt(0).toLowerCase() + label.slice(1)}</Button>
      <Button size="xs" variant="default" onClick={onClose}>No</Button>
    </Group>
  );
}
