--- What one file of specs has registered; the runner begins it anew.
return { cases = {}, before = {}, after = {}, defaults = {} }
