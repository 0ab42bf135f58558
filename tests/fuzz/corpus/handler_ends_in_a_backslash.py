async def e():
        try:
         await()
        except:
         ()\
 