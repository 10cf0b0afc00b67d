UPDATE events SET actor = json_extract(event, '$.actor.id'),
    request_id = json_extract(event, '$.request_id');
