" Models of protocols. Other languages end in .dsl, too: the first line that is no comment decides.
autocmd BufNewFile,BufRead *.dsl call s:Detect()

let s:first = '^\s*\%(\%(protocol\|import\|const\|param\|enum\|thread_local\|recursive\|mutex\|rwlock\|sem\|event\|cond\|context\|oneshot\|bh\|'
      \ . 'thread\|hook\|callback\|proc\|deadlock\|invariant\|liveness\|strong\|nesting\|disable\|expect\|bool\)\>\|\d\+\s*\.\.\)'

function! s:Detect() abort
  for l:line in getline(1, 500)
    if l:line !~# '^\s*\%(//.*\)\?$'
      if l:line =~# s:first
        set filetype=formal
      endif
      return
    endif
  endfor
  set filetype=formal
endfunction
