--- What one file of specs has registered, which the runner begins anew, and
-- what is true of the case that runs. Not for scripts of authors.
return { cases = {}, before = {}, after = {}, defaults = {},
  in_case = false, running = false }
