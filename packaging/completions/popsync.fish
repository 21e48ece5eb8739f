complete --keep-order --exclusive --command popsync --arguments "(_POPSYNC_COMPLETE=fish popsync -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
