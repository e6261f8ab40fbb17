--- What one file of specs has registered; the runner begins it anew.
-- Not for scripts of authors.
return { cases = {}, before = {}, after = {}, defaults = {} }
