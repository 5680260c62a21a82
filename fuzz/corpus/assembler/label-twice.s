a: a: exit
