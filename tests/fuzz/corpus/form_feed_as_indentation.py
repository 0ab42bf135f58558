async def t():
    for e in():
        with open():
            ()
