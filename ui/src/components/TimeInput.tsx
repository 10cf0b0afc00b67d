import { Group, Input, NumberInput, Select } from '@mantine/core';
import { useState } from 'react';

const UNITS = { minutes: 60, hours: 3_600, days: 86_400 };
type Unit = keyof typeof UNITS;

interface TimeInputProps {
  label: string;
  description?: string;
  w?: number;
  /** In seconds. */
  value: number;
  onChange: (seconds: number) => void;
}

/** A span of time in the unit in which people say it. */
export function TimeInput({ label, description, w, value, onChange }: TimeInputProps) {
  const [unit, setUnit] = useState<Unit>(() => (value % UNITS.days === 0 && value > 0 ? 'days' : value % UNITS.hours === 0 ? 'hours' : 'minutes'));
  return (
    <Input.Wrapper label={label} description={description} w={w}>
      <Group gap={4} wrap="nowrap" mt={description ? 4 : 0}>
        <NumberInput aria-label={label} min={0} decimalScale={2} value={value / UNITS[unit]} onChange={(next) => typeof next === 'number' && onChange(Math.round(next * UNITS[unit]))} />
        <Select aria-label={`Unit of: ${label}`} w={112} style={{ flex: 'none' }} data={Object.keys(UNITS)} allowDeselect={false} value={unit} onChange={(next) => { const chosen = (next ?? 'hours') as Unit; onChange(Math.round((value / UNITS[unit]) * UNITS[chosen])); setUnit(chosen); }} />
      </Group>
    </Input.Wrapper>
  );
}
