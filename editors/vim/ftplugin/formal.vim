" Comments, indentation by 4, `gq` and `=` through the layout of `formal fmt`.
if exists('b:did_ftplugin')
  finish
endif
let b:did_ftplugin = 1

setlocal commentstring=//\ %s
setlocal comments=s1:/*,mb:*,ex:*/,://
setlocal formatoptions-=t formatoptions+=croql
setlocal expandtab shiftwidth=4 softtabstop=4
setlocal iskeyword=@,48-57,_
setlocal suffixesadd=.dsl
setlocal include=^\\s*import\\s\\+\"
setlocal define=^\\s*\\(const\\\|param\\\|enum\\\|mutex\\\|rwlock\\\|sem\\\|event\\\|cond\\\|context\\\|bh\\\|thread\\\|hook\\\|callback\\\|proc\\)
if executable('formal')
  let &l:formatprg = 'formal fmt -'
  compiler formal
endif

let b:undo_ftplugin = 'setlocal commentstring< comments< formatoptions< expandtab< shiftwidth< softtabstop< iskeyword<'
      \ . ' suffixesadd< include< define< formatprg< makeprg< errorformat<'
