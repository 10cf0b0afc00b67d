UPDATE events SET actor = event::json -> 'actor' ->> 'id', request_id = event::json ->> 'request_id';
